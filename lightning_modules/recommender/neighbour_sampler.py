"""The part of a graph that some nodes' embeddings are made from (Hamilton, Ying and Leskovec 2017, section 3.1)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lightning_modules.negatives.negatives import Pairs

ALL = -1
"""A fan-out that leaves no neighbour out."""


class NeighbourSampler:
    """Draws neighbours of nodes, neighbours of these, and so on.

    Args:
        pairs: that tell of each other, each once, (P, 2).
        nodes: of the graph.
        fan_out: most neighbours of a node, layer by layer from the embeddings back; ALL: every one.
    """

    def __init__(self, pairs: Pairs, nodes: int, fan_out: Sequence[int]) -> None:
        sources, targets = np.concatenate([pairs, pairs[:, ::-1]]).T
        order = np.argsort(targets, kind="stable")  # a node's neighbours in the order of the pairs, as an LSTM reads
        self._sources, self._targets = sources[order], targets[order]
        self._pairs = order % max(1, len(pairs))
        self._begins = np.searchsorted(self._targets, np.arange(nodes + 1))
        self._fan_out = tuple(fan_out)

    def __call__(
        self, seeds: NDArray[np.int64], silent: NDArray[np.bool_], random: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Draw without replacement.

        Args:
            seeds: nodes whose embeddings are wanted, with repeats, of any shape.
            silent: which of the pairs pass no message, (P,).
            random: draws.

        Returns:
            Nodes (N,), in order and each once, the seeds among them; edges (2, E) as places among these nodes, from
            whom to whom.
        """
        nodes = frontier = np.unique(seeds)
        drawn = [np.zeros(0, np.int64)]
        for most in self._fan_out:
            drawn.append(self._into(frontier, most, silent, random))
            frontier = np.setdiff1d(self._sources[drawn[-1]], nodes)
            nodes = np.union1d(nodes, frontier)
        edges = np.concatenate(drawn)
        return nodes, np.searchsorted(nodes, np.stack([self._sources[edges], self._targets[edges]]))

    def _into(
        self, told: NDArray[np.int64], most: int, silent: NDArray[np.bool_], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Places of at most so many edges into each of the nodes ``told``, which are in order."""
        begins, counts = self._begins[told], self._begins[told + 1] - self._begins[told]
        places = np.repeat(begins - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        places = places[~silent[self._pairs[places]]]
        if most == ALL:
            return places
        targets = self._targets[places]  # in order, so that a rank counts from where a target first stands
        shuffled = np.lexsort((random.random(len(places)), targets))
        rank = np.arange(len(places)) - np.searchsorted(targets, targets)
        return np.sort(places[shuffled[rank < most]])
