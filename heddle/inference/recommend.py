"""Recommend nodes of the graph for a node, a text or an image.

Reads ``data/recommender``, the calibration in ``data/recommender_evaluation``, and ``data/vision`` for an image; needs
no server.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heddle.core.errors import UserError
from heddle.core.schemas import read_table
from heddle.core.skipped import skip_reason
from heddle.core.splits import SPLITS
from heddle.core.stage import DATA, read_json
from heddle.core.vectors import matrix
from heddle.encoders.parameters import Encoder
from heddle.graph.features import ENCODER_FILE, PROJECTION_FILE, Projection
from heddle.graph.neighbours import Neighbours
from heddle.graph.tables import EDGES_FILE, INDUCTIVE, NODES_FILE, CatalogGraph
from heddle.images.image_file import is_file
from heddle.recommendation.calibration import RecommenderCalibration
from heddle.recommendation.relations import RecommendedEdge, RelationIndex, partner_types
from heddle.recommendation.similarity import cosine, query_candidates

FILES = (NODES_FILE, EDGES_FILE)
MAX_SHARED = 4
"""Number of shared neighbours that explain a recommendation."""


class RecommendError(UserError):
    """No recommendation is possible; the message gives the reason and the remedy."""


@dataclass(frozen=True)
class QueryNode:
    """A node that the query refers to.

    Attributes:
        similarity: cosine of the node's text and the query; None for a node named by id, text or image.
    """

    id: str
    type: str
    text: str
    similarity: float | None = None


@dataclass(frozen=True)
class Recommendation:
    """A recommended node.

    Attributes:
        edges: the edges that it predicts, in the direction of the graph: at least one for each query node.
        probability: of an edge, calibrated on validation edges and as many negatives; None without a calibration.
        score: mean dot product with the query nodes, of any size and sign; the order of the recommendations.
        shared: texts of neighbours shared with the query nodes, those with the fewest edges first.
    """

    id: str
    type: str
    text: str
    edges: tuple[RecommendedEdge, ...]
    probability: float | None
    score: float
    shared: tuple[str, ...]


@dataclass(frozen=True)
class Recommendations:
    """The nodes of the query (several for a listing or an image) and the recommendations, best first."""

    query_nodes: tuple[QueryNode, ...]
    hits: tuple[Recommendation, ...]


def recommend(query: str, top: int = 10, data: Path = DATA) -> Recommendations:
    """Recommend nodes for a query, as :meth:`RecommenderIndex.recommend` does.

    Args:
        query: id or text of a node; another text, which is matched to the most similar node; or an image file.
        top: maximum number of recommendations.
        data: folder that contains ``recommender``.

    Raises:
        RecommendError: a stage has not run, no node is similar to the text, or nodes of this type have no
            recommendations.
    """
    return RecommenderIndex.open(data / "recommender").recommend(query, top)


class RecommenderIndex:
    """Node embeddings of a trained recommender.

    Args:
        folder: output of stage `recommender`.
        graph: its nodes and edges.
        embeddings: of the nodes, (N, D).
        calibration: of scores and query texts.
    """

    def __init__(
        self,
        folder: Path,
        graph: CatalogGraph,
        embeddings: NDArray[np.float32],
        calibration: RecommenderCalibration = RecommenderCalibration(),  # noqa: B008, it is frozen
    ) -> None:
        self.folder, self.graph, self.embeddings, self.calibration = folder, graph, embeddings, calibration
        self._relations = RelationIndex(graph)
        transductive = graph.edges[graph.parts != INDUCTIVE]
        self._neighbours = Neighbours(transductive, len(graph.ids))
        self._linked = Neighbours(graph.predicted(*SPLITS), len(graph.ids))
        self._types = np.array(graph.types, str)
        self._partner_types = partner_types(graph)

    @classmethod
    def open(cls, folder: Path) -> "RecommenderIndex":
        """Read the folder of a trained recommender.

        Raises:
            RecommendError: a file is missing, or the training was skipped.
        """
        reason = skip_reason(folder)
        if reason:
            raise RecommendError(f"there is no recommender: {reason}")
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise RecommendError(
                f"{folder} lacks {', '.join(missing)}: run `heddle run` or `dvc repro recommender` first"
            )
        embeddings = matrix(read_table(folder / NODES_FILE), "embedding")
        return cls(folder, CatalogGraph.open(folder), embeddings, RecommenderCalibration.open(folder))

    def recommend(self, query: str, top: int = 10) -> Recommendations:
        """Recommend nodes that no predicted edge links to the query nodes yet.

        Candidates have a type that predicted edges link to every query node's type.

        Args:
            query: as in :func:`recommend`.
            top: maximum number of recommendations.

        Raises:
            RecommendError: the query matches no node, or nodes of this type have no recommendations.
        """
        resolved = self.resolve(query)
        nodes = [node for node, _ in resolved]
        allowed = set.intersection(*(self._partner_types.get(self.graph.types[node], set()) for node in nodes))
        if not allowed:
            types = ", ".join(sorted({self.graph.types[node] for node in nodes}))
            known = ", ".join(sorted(self._partner_types))
            raise RecommendError(f"no recommendations for nodes of type {types}; query a node of type {known}")
        excluded = np.concatenate([np.array(nodes), *(self._linked.of(node) for node in nodes)])
        candidates = np.setdiff1d(np.flatnonzero(np.isin(self._types, sorted(allowed))), excluded)
        vectors = self.embeddings.astype(np.float64)
        scores = vectors[candidates] @ vectors[nodes].mean(axis=0)
        order = np.lexsort((candidates, -scores))[:top]
        hits = [self._make_hit(int(candidates[index]), float(scores[index]), nodes) for index in order]
        query_nodes = [self._make_query_node(node, similarity) for node, similarity in resolved]
        return Recommendations(tuple(query_nodes), tuple(hits))

    def resolve(self, query: str) -> list[tuple[int, float | None]]:
        """Node indices of a query; each with the cosine of its text and the query, None if the query names it."""
        text = query.strip()
        if text in self.graph.ids:
            return self._resolve_id(self.graph.ids.index(text))
        named = self._find_text(text)
        if named:
            return [(named[0], None)]
        if is_file(text):
            return [(node, None) for node in self._resolve_image(Path(text))]
        return [self._find_nearest(text)]

    def _make_hit(self, node: int, score: float, query_nodes: Sequence[int]) -> Recommendation:
        shared = dict.fromkeys(
            neighbour for query_node in query_nodes for neighbour in self._neighbours.shared(query_node, node)
        )
        texts = tuple(self._text_of(neighbour) for neighbour in list(shared)[:MAX_SHARED])
        edges = tuple(edge for query_node in query_nodes for edge in self._relations.between(query_node, node))
        scaling, graph = self.calibration.probability, self.graph
        probability = None if scaling is None else float(scaling(np.array([score]))[0])
        return Recommendation(graph.ids[node], graph.types[node], self._text_of(node), edges, probability, score, texts)

    def _make_query_node(self, node: int, similarity: float | None) -> QueryNode:
        return QueryNode(self.graph.ids[node], self.graph.types[node], self._text_of(node), similarity)

    def _text_of(self, node: int) -> str:
        return self.graph.texts[node] or self.graph.ids[node]

    def _resolve_id(self, node: int) -> list[tuple[int, float | None]]:
        """Replace a listing by the item and the material of its labels, which give better results.

        Measured in docs/experiments/recommender.md.
        """
        graph = self.graph
        labels = graph.edges[(graph.parts == INDUCTIVE) & (graph.edges[:, 0] == node), 1].tolist()
        return [(label, None) for label in labels or [node]]

    def _find_text(self, text: str, kind: str | None = None) -> list[int]:
        """Nodes with this text, ignoring case, that can have recommendations; ``kind`` restricts their type."""
        wanted = text.casefold()
        return [
            node
            for node, (node_text, node_type) in enumerate(zip(self.graph.texts, self.graph.types, strict=True))
            if node_text
            and node_text.casefold() == wanted
            and node_type in self._partner_types
            and kind in (None, node_type)
        ]

    def _resolve_image(self, image: Path) -> list[int]:
        """Nodes of the item and the material that `vision` predicts for the image."""
        from heddle.inference.classify import ClassifyError, predict_labels

        try:
            probabilities = predict_labels(image, self.folder.parent)
        except ClassifyError as error:
            raise RecommendError(str(error)) from error
        predicted = {label: next(iter(classes)) for label, classes in probabilities.items()}
        nodes = [node for label, name in predicted.items() for node in self._find_text(name, label)[:1]]
        if not nodes:
            names = ", ".join(f"{label} {name}" for label, name in predicted.items())
            raise RecommendError(f"{image}: predicted {names}, none of which is a node of the graph")
        return nodes

    def _find_nearest(self, text: str) -> tuple[int, float]:
        """The node whose text is most similar to ``text``, and the cosine of both."""
        if not text or not (self.folder / PROJECTION_FILE).is_file():
            raise RecommendError(
                f"{text!r} is not a node, and no node has a text to compare with; use the id of a node"
            )
        from lightning_modules.sentence_encoder.sentence_encoder import SentenceEncoder  # imports torch, which is slow

        name = Encoder.model_validate(read_json(self.folder / ENCODER_FILE)).name
        try:
            encoder = SentenceEncoder.from_pretrained(name, os.cpu_count() or 1)
        except (OSError, ValueError) as error:
            raise RecommendError(f"cannot load encoder {name!r}, which computed the features: {error}") from error
        vector = Projection.load(self.folder)(encoder.documents([text]))[0]
        nodes = query_candidates(self.graph)
        similarity = cosine(self.graph.features[nodes], vector)
        best = int(similarity.argmax())
        self._check_similarity(text, int(nodes[best]), float(similarity[best]))
        return int(nodes[best]), float(similarity[best])

    def _check_similarity(self, text: str, nearest: int, similarity: float) -> None:
        floor = self.calibration.min_similarity
        if floor is not None and similarity < floor:
            raise RecommendError(
                f"nothing in the catalogue is similar to {text!r}: the nearest is {self.graph.types[nearest]} "
                f"{self._text_of(nearest)!r} with similarity {similarity:.2f}, at least {floor:.2f} is needed; use the "
                "text or the id of a node"
            )
