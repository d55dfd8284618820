"""What can become what: ask the recommender with a node, with words or with an image.

Reads ``data/recommender``, and ``data/vision`` for an image; needs no server.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from heddle.core.errors import UserError
from heddle.core.skipped import skip_reason
from heddle.core.splits import SPLITS
from heddle.core.stage import DATA, read_json
from heddle.core.vectors import matrix
from heddle.encoders.parameters import Encoder
from heddle.graph.features import ENCODER_FILE, PROJECTION_FILE, Projection
from heddle.graph.neighbours import Neighbours
from heddle.graph.tables import EDGES_FILE, INDUCTIVE, NODES_FILE, CatalogGraph
from heddle.images.image_file import is_file

FILES = (NODES_FILE, EDGES_FILE)
SHARED = 4
"""Neighbours that explain a recommendation."""


class RecommendError(UserError):
    """There is nothing to recommend; the message says why and what to do."""


@dataclass(frozen=True)
class QueryNode:
    """A node that was asked about.

    Attributes:
        likeness: of its text and what was said, a cosine; None where it was named.
    """

    id: str
    type: str
    text: str
    likeness: float | None = None


@dataclass(frozen=True)
class Recommendation:
    """One node to be joined with what was asked about.

    Attributes:
        score: mean logit of the edges.
        probability: of that logit; against as many pairs that are none as there are edges.
        shared: neighbours that it has in common with what was asked about, those that tell most first.
    """

    id: str
    type: str
    text: str
    score: float
    probability: float
    shared: tuple[str, ...]


@dataclass(frozen=True)
class Recommendations:
    """The nodes that were asked about, several for a listing or an image, and what goes with all of them."""

    asked: tuple[QueryNode, ...]
    hits: tuple[Recommendation, ...]


def recommend(query: str, top: int = 10, data: Path = DATA) -> Recommendations:
    """What a node can become, or what suits it, as far as no edge says so already.

    Args:
        query: a node's id or text; other words, which stand for the node whose text is likest; an image's file.
        top: how many at most.
        data: folder that holds ``recommender``.

    Raises:
        RecommendError: a stage has not run, or nothing that is recommended goes with such a node.
    """
    advisor = RecommenderIndex.open(data / "recommender")
    return advisor.recommend(advisor.resolve(query, data), top)


class RecommenderIndex:
    """The recommender, opened.

    Args:
        folder: as stage `recommender` writes it.
        graph: its nodes and edges.
        embeddings: of the nodes, (N, D).
    """

    def __init__(self, folder: Path, graph: CatalogGraph, embeddings: NDArray[np.float32]) -> None:
        self.folder, self.graph, self.embeddings = folder, graph, embeddings
        known = graph.edges[graph.parts != INDUCTIVE]
        self._neighbours = Neighbours(known, len(graph.ids))
        self._joined = Neighbours(graph.predicted(*SPLITS), len(graph.ids))
        self._types = np.array(graph.types, str)
        self._partners = partner_types(graph)

    @classmethod
    def open(cls, folder: Path) -> "RecommenderIndex":
        """Read the folder.

        Raises:
            RecommendError: it lacks a file, or there is no model.
        """
        if reason := skip_reason(folder):
            raise RecommendError(f"there is no recommender: {reason}")
        if lacking := [name for name in FILES if not (folder / name).is_file()]:
            raise RecommendError(
                f"{folder} lacks {', '.join(lacking)}: run `heddle run` or `dvc repro recommender` first"
            )
        return cls(folder, CatalogGraph.open(folder), matrix(pq.read_table(folder / NODES_FILE), "embedding"))

    def resolve(self, query: str, data: Path) -> list[tuple[int, float | None]]:
        """The nodes that are meant, and how like their texts are to the words; None where they are named."""
        words = query.strip()
        if words in self.graph.ids:
            return self._of_listing(self.graph.ids.index(words))
        if named := self._by_text(words):
            return [(named[0], None)]
        if is_file(words):
            return [(node, None) for node in self._by_image(Path(words), data)]
        return [self._nearest(words)]

    def recommend(self, asked: Sequence[tuple[int, float | None]], top: int) -> Recommendations:
        """What goes with all of the nodes asked about; candidates are of the types that all of them are joined with."""
        nodes = [node for node, _ in asked]
        wanted = set.intersection(*(self._partners.get(self.graph.types[node], set()) for node in nodes))
        if not wanted:
            kinds = ", ".join(sorted({self.graph.types[node] for node in nodes}))
            allowed = ", ".join(sorted(self._partners))
            raise RecommendError(f"nothing is recommended for {kinds}; ask with {allowed}")
        known = np.concatenate([np.array(nodes), *(self._joined.of(node) for node in nodes)])
        candidates = np.setdiff1d(np.flatnonzero(np.isin(self._types, sorted(wanted))), known)
        vectors = self.embeddings.astype(np.float64)
        scores = vectors[candidates] @ vectors[nodes].mean(axis=0)
        order = np.lexsort((candidates, -scores))[:top]
        hits = [self._hit(int(candidates[place]), float(scores[place]), nodes) for place in order]
        return Recommendations(tuple(self._asked(node, likeness) for node, likeness in asked), tuple(hits))

    def _hit(self, node: int, score: float, asked: Sequence[int]) -> Recommendation:
        shared = dict.fromkeys(one for each in asked for one in self._neighbours.shared(each, node))
        words = tuple(self._words(one) for one in list(shared)[:SHARED])
        probability = float(1 / (1 + np.exp(-score)))
        graph = self.graph
        return Recommendation(graph.ids[node], graph.types[node], self._words(node), score, probability, words)

    def _asked(self, node: int, likeness: float | None) -> QueryNode:
        return QueryNode(self.graph.ids[node], self.graph.types[node], self._words(node), likeness)

    def _words(self, node: int) -> str:
        return self.graph.texts[node] or self.graph.ids[node]

    def _of_listing(self, node: int) -> list[tuple[int, float | None]]:
        """A listing is asked about through the item and the material that it names: they know more.

        Measured in docs/experiments/recommender.md.
        """
        graph = self.graph
        named = graph.edges[(graph.parts == INDUCTIVE) & (graph.edges[:, 0] == node), 1].tolist()
        return [(one, None) for one in named or [node]]

    def _by_text(self, words: str, kind: str | None = None) -> list[int]:
        """Nodes of this text that can be asked about, in order."""
        said = words.casefold()
        return [
            node
            for node, (text, of) in enumerate(zip(self.graph.texts, self.graph.types, strict=True))
            if text and text.casefold() == said and of in self._partners and kind in (None, of)
        ]

    def _by_image(self, image: Path, data: Path) -> list[int]:
        """The item and the material that the image shows."""
        from heddle.inference.classify import ClassifyError, predict_labels

        try:
            seen = predict_labels(image, data)
        except ClassifyError as error:
            raise RecommendError(str(error)) from error
        shown = {label: next(iter(probabilities)) for label, probabilities in seen.items()}
        nodes = [node for label, name in shown.items() for node in self._by_text(name, label)[:1]]
        if not nodes:
            told = ", ".join(f"{label} {name}" for label, name in shown.items())
            raise RecommendError(f"{image} shows {told}, none of which is a node of the graph")
        return nodes

    def _nearest(self, words: str) -> tuple[int, float]:
        """The node that can be asked about whose text is likest to the words."""
        if not words or not (self.folder / PROJECTION_FILE).is_file():
            raise RecommendError(f"{words!r} is no node, and there are no texts to compare it with; name a node's id")
        from lightning_modules.sentence_encoder.sentence_encoder import (
            SentenceEncoder,  # torch takes seconds; ids do not need it
        )

        made_by = Encoder.model_validate(read_json(self.folder / ENCODER_FILE))
        try:
            encoder = SentenceEncoder.from_pretrained(made_by.name, os.cpu_count() or 1)
        except (OSError, ValueError) as error:
            raise RecommendError(f"the encoder {made_by.name!r} that made the features is gone: {error}") from error
        vector = Projection.load(self.folder)(encoder.documents([words]))[0]
        able = np.flatnonzero(np.isin(self._types, sorted(self._partners)))
        texts = self.graph.features[able]
        lengths = np.linalg.norm(texts, axis=1) * np.linalg.norm(vector)
        likeness = texts @ vector / np.maximum(lengths, 1e-12)
        best = int(likeness.argmax())
        return int(able[best]), float(likeness[best])


def partner_types(graph: CatalogGraph) -> dict[str, set[str]]:
    """Type of a node -> types that predicted edges join it with, whichever way they point."""
    found: dict[str, set[str]] = {}
    for source, targets in graph.targets_of.items():
        for target in targets:
            found.setdefault(source, set()).add(target)
            found.setdefault(target, set()).add(source)
    return found
