"""What the image classifier says of listings, as places in the graph: how `heddle recommend` goes from an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from assets.alignment.embedding_spaces.embedding_spaces import Encoders, Named, Spaces
from heddle.graph.edges import LABEL_RELATIONS
from heddle.graph.tables import CatalogGraph

SMALLEST = 1e-12
"""Probability of a node that is no class of the classifier."""


@dataclass(frozen=True)
class Seen:
    """The nodes that images show, and how likely each is.

    Attributes:
        nodes: label of the classifier -> place of the node that each of its classes names; -1 where none does.
        probabilities: of the classes, by label, (N, classes).
    """

    nodes: dict[str, NDArray[np.int64]]
    probabilities: dict[str, NDArray[np.float32]]

    @classmethod
    def by(cls, encoders: Encoders, listings: Spaces) -> Self:
        """Classify the listings' images."""
        heads = {name: heads for name, heads in encoders.vision.config.heads.items() if name in LABEL_RELATIONS}
        nodes = {label: _places(encoders.graph, label, classes) for label, classes in heads.items()}
        found = encoders.vision.probabilities(sample.image for sample in listings.samples)
        return cls(nodes, {label: found[label] for label in heads})

    def log_likelihoods(self, places: Sequence[Named]) -> NDArray[np.float64]:
        """Logarithm of the probability of each place's nodes together, for each image, (N, places)."""
        count = len(next(iter(self.probabilities.values()), np.zeros((0, 0))))
        found = np.zeros((count, len(places)))
        for label, nodes in self.nodes.items():
            likely = np.maximum(self.probabilities[label].astype(np.float64), SMALLEST)
            for column, named in enumerate(places):
                shown = np.isin(nodes, named)
                guessed = np.full(count, 1 / len(nodes))  # of a label that a place lacks nothing is known
                found[:, column] += np.log(likely[:, shown].sum(axis=1) if shown.any() else guessed)
        return found

    def likeliest(self) -> list[Named]:
        """For each image the nodes that its likeliest classes name."""
        best = [nodes[self.probabilities[label].argmax(axis=1)] for label, nodes in self.nodes.items()]
        each = zip(*(one.tolist() for one in best), strict=True)
        return [tuple(sorted(node for node in named if node >= 0)) for named in each]


def _places(graph: CatalogGraph, label: str, classes: Sequence[str]) -> NDArray[np.int64]:
    """The first node of this type with each class's text."""
    named: dict[str, int] = {}
    for place, (kind, text) in enumerate(zip(graph.types, graph.texts, strict=True)):
        if kind == label and text:
            named.setdefault(text.casefold(), place)
    return np.array([named.get(one.casefold(), -1) for one in classes], np.int64)
