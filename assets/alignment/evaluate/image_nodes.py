"""Nodes of the graph that the image classifier predicts for listings, as `heddle recommend` does for an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from assets.alignment.embedding_spaces.embedding_spaces import EmbeddingSpaces, Encoders, NodeSet
from heddle.graph.edges import LABEL_RELATIONS
from heddle.graph.tables import CatalogGraph

SMALLEST = 1e-12
"""Smallest probability of a node, so that its logarithm is finite."""


@dataclass(frozen=True)
class ImageNodes:
    """The probabilities of nodes for images.

    Attributes:
        nodes: label of the classifier -> index of the node that each of its classes names; -1 without one.
        probabilities: of the classes, by label, (N, classes).
    """

    nodes: dict[str, NDArray[np.int64]]
    probabilities: dict[str, NDArray[np.float32]]

    @classmethod
    def classify(cls, encoders: Encoders, listings: EmbeddingSpaces) -> Self:
        """Classify the listings' images."""
        heads = {name: heads for name, heads in encoders.vision.config.heads.items() if name in LABEL_RELATIONS}
        nodes = {label: _class_nodes(encoders.graph, label, classes) for label, classes in heads.items()}
        found = encoders.vision.probabilities(sample.image for sample in listings.samples)
        return cls(nodes, {label: found[label] for label in heads})

    def log_likelihoods(self, node_sets: Sequence[NodeSet]) -> NDArray[np.float64]:
        """Log-likelihood of each of S sets of nodes, for each image, (N, S)."""
        count = len(next(iter(self.probabilities.values()), np.zeros((0, 0))))
        found = np.zeros((count, len(node_sets)))
        for label, nodes in self.nodes.items():
            likely = np.maximum(self.probabilities[label].astype(np.float64), SMALLEST)
            for column, named in enumerate(node_sets):
                contained = np.isin(nodes, named)
                uniform = np.full(count, 1 / len(nodes))  # where the set has no node of this label
                found[:, column] += np.log(likely[:, contained].sum(axis=1) if contained.any() else uniform)
        return found

    def most_probable(self) -> list[NodeSet]:
        """For each image the nodes that its most probable classes name."""
        best = [nodes[self.probabilities[label].argmax(axis=1)] for label, nodes in self.nodes.items()]
        each = zip(*(one.tolist() for one in best), strict=True)
        return [tuple(sorted(node for node in named if node >= 0)) for named in each]


def _class_nodes(graph: CatalogGraph, label: str, classes: Sequence[str]) -> NDArray[np.int64]:
    """Index of the first node of this type with the text of each class; -1 without one."""
    named: dict[str, int] = {}
    for index, (kind, text) in enumerate(zip(graph.types, graph.texts, strict=True)):
        if kind == label and text:
            named.setdefault(text.casefold(), index)
    return np.array([named.get(one.casefold(), -1) for one in classes], np.int64)
