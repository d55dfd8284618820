"""Who stands between two nodes: the neighbours that they share."""

import numpy as np
from numpy.typing import NDArray

from lightning_modules.negatives.negatives import Pairs


class Neighbours:
    """Each node's neighbours over some edges.

    Args:
        pairs: that are joined, whichever way, (P, 2).
        nodes: how many there are.
    """

    def __init__(self, pairs: Pairs, nodes: int) -> None:
        ends = np.concatenate([pairs, pairs[:, ::-1]])
        order = np.lexsort((ends[:, 1], ends[:, 0]))
        self._others = ends[order, 1]
        self._begins = np.searchsorted(ends[order, 0], np.arange(nodes + 1))

    def of(self, node: int) -> NDArray[np.int64]:
        """The neighbours of a node, each once, in order."""
        return np.unique(self._others[self._begins[node] : self._begins[node + 1]])

    def shared(self, one: int, other: int) -> list[int]:
        """Neighbours of both; those with few neighbours, which tell more, first."""
        both = np.intersect1d(self.of(one), self.of(other))
        degrees = self._begins[both + 1] - self._begins[both]
        return both[np.lexsort((both, degrees))].tolist()
