"""Embed listings with frozen encoders in the spaces of images, text and graph."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heddle.core.listing_text import caption, has_caption
from heddle.core.parameters.shared import Compute
from heddle.core.stage import Stage
from heddle.encoders.parameters import IndexParameters
from heddle.encoders.text_encoder import load_sentence_encoder
from heddle.graph.tables import CatalogGraph
from lightning_modules.alignment.alignment import VectorIds, Vectors
from lightning_modules.alignment.config import Space
from lightning_modules.recommender.embedder import GraphEmbedder
from lightning_modules.training.shards import ShardSample, read_samples
from lightning_modules.vision.classifier import VisionClassifier

NodeSet = tuple[int, ...]
"""Indices of the nodes that a listing names, in order: its neighbours in the graph."""
NEEDED: dict[Space, str] = {"image": "vision", "graph": "recommender"}
"""Space -> the stage whose model embeds it; the text encoder is not trained here."""


@dataclass(frozen=True)
class EmbeddingSpaces:
    """Listings that have a vector in every space.

    Attributes:
        samples: the listings, N.
        named: the neighbours of each, N; empty without the graph space.
        vectors: by space, (N, dimensions).
        kinds: by space, ids of the vectors, (N,): equal ids for equal vectors.
        skipped: number of listings of the split without text or without a node in the graph.
    """

    samples: Sequence[ShardSample]
    named: Sequence[NodeSet]
    vectors: Vectors
    kinds: VectorIds
    skipped: int


class Encoders:
    """The frozen encoders, loaded once.

    Args:
        stage: with inputs ``vision``, ``recommender`` and ``shards``.
        spaces: names of the spaces.
    """

    def __init__(self, stage: Stage, spaces: Sequence[Space]) -> None:
        self.stage, self.spaces = stage, spaces
        self.threads = stage.parameters(Compute, "compute").threads
        self.neighbours: dict[str, NodeSet] = {}
        if "image" in spaces:
            self.vision = VisionClassifier.from_pretrained(stage.input("vision"), self.threads)
        if "text" in spaces:
            self.text = load_sentence_encoder(stage.parameters(IndexParameters, "index").encoder, self.threads)
        if "graph" in spaces:
            self.graph = CatalogGraph.open(stage.input("recommender"))
            self.neighbours = listing_neighbours(self.graph)
            embedder = GraphEmbedder.from_pretrained(stage.input("recommender"), self.threads)
            self.node_vectors = listing_node_vectors(self.graph, self.neighbours, embedder)

    def read(self, split: str) -> EmbeddingSpaces:
        """Embed the listings of a split that all spaces can represent."""
        every = list(read_samples(self.stage.input("shards") / split))
        samples = [sample for sample in every if self._has_all(sample)]
        named = [self.neighbours[sample.row["id"]] for sample in samples] if "graph" in self.spaces else []
        self.stage.progress(f"embedding listings of {split}", len(samples), len(every))
        vectors: dict[Space, NDArray[np.float32]] = {}
        kinds: dict[Space, NDArray[np.int64]] = {}
        if "image" in self.spaces:
            vectors["image"] = self.vision.features(sample.image for sample in samples)
            kinds["image"] = np.arange(len(samples))
        if "text" in self.spaces:
            words = [caption(sample.row) for sample in samples]
            different = {text: number for number, text in enumerate(dict.fromkeys(words))}
            kinds["text"] = np.array([different[text] for text in words], np.int64)
            vectors["text"] = self.text.documents(list(different))[kinds["text"]]
        if "graph" in self.spaces:
            order = {one: number for number, one in enumerate(self.node_vectors)}
            kinds["graph"] = np.array([order[one] for one in named], np.int64)
            vectors["graph"] = np.stack(list(self.node_vectors.values()))[kinds["graph"]]
        return EmbeddingSpaces(samples, named, vectors, kinds, len(every) - len(samples))

    def _has_all(self, sample: ShardSample) -> bool:
        return ("text" not in self.spaces or has_caption(sample.row)) and (
            "graph" not in self.spaces or sample.row["id"] in self.neighbours
        )


def listing_neighbours(graph: CatalogGraph) -> dict[str, NodeSet]:
    """Id of each listing in the graph -> its neighbours."""
    found: dict[int, list[int]] = defaultdict(list)
    for node, listing in graph.inductive_edges.tolist():
        found[listing].append(node)
    return {graph.ids[listing]: tuple(sorted(nodes)) for listing, nodes in sorted(found.items())}


def listing_node_vectors(
    graph: CatalogGraph, neighbours: dict[str, NodeSet], embedder: GraphEmbedder
) -> dict[NodeSet, NDArray[np.float32]]:
    """Neighbours -> the embedding (D,) of a listing with these neighbours and without text.

    Without its title, because the graph space would otherwise repeat the text space in part.
    """
    features = graph.features.copy()
    features[graph.num_transductive :] = 0
    embeddings = embedder(features, graph.message_edges, graph.inductive_edges)
    index_of = {name: index for index, name in enumerate(graph.ids)}
    first: dict[NodeSet, int] = {}
    for listing, named in neighbours.items():
        first.setdefault(named, index_of[listing])
    return {named: embeddings[first[named]] for named in sorted(first)}
