"""Neighbours of nodes, and neighbours that two nodes share."""

import numpy as np
from numpy.typing import NDArray

from lightning_modules.negatives.negatives import Pairs


class Neighbours:
    """Index of the neighbours of every node.

    Args:
        pairs: undirected edges, (P, 2).
        nodes: number of nodes.
    """

    def __init__(self, pairs: Pairs, nodes: int) -> None:
        ends = np.concatenate([pairs, pairs[:, ::-1]])
        order = np.lexsort((ends[:, 1], ends[:, 0]))
        self._others = ends[order, 1]
        self._starts = np.searchsorted(ends[order, 0], np.arange(nodes + 1))

    def of(self, node: int) -> NDArray[np.int64]:
        """Sorted, unique neighbours of a node."""
        return np.unique(self._others[self._starts[node] : self._starts[node + 1]])

    def shared(self, one: int, other: int) -> list[int]:
        """Neighbours of both nodes, sorted by degree: a neighbour with few edges explains more."""
        both = np.intersect1d(self.of(one), self.of(other))
        degrees = self._starts[both + 1] - self._starts[both]
        return both[np.lexsort((both, degrees))].tolist()
