"""Neighbour sampling for graph convolutions (Hamilton, Ying and Leskovec 2017, section 3.1)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lightning_modules.negatives.negatives import Pairs

ALL = -1
"""A fan-out without a limit: every neighbour is in the sample."""


class NeighbourSampler:
    """Samples neighbours of nodes, neighbours of these neighbours, and so on.

    Args:
        pairs: undirected message edges, each once, (P, 2).
        nodes: number of nodes of the graph.
        fan_out: maximum number of neighbours per node, layer by layer from the output back; ALL for no limit.
    """

    def __init__(self, pairs: Pairs, nodes: int, fan_out: Sequence[int]) -> None:
        sources, targets = np.concatenate([pairs, pairs[:, ::-1]]).T
        order = np.argsort(targets, kind="stable")  # keeps the pairs' order per node, which an LSTM aggregator reads
        self._sources, self._targets = sources[order], targets[order]
        self._pairs = order % max(1, len(pairs))
        self._starts = np.searchsorted(self._targets, np.arange(nodes + 1))
        self._fan_out = tuple(fan_out)

    def __call__(
        self, seeds: NDArray[np.int64], masked: NDArray[np.bool_], random: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sample without replacement.

        Args:
            seeds: nodes whose embeddings are needed, any shape, repeats allowed.
            masked: pairs that send no messages, (P,).
            random: source of the samples.

        Returns:
            Sorted, unique nodes (N,), the seeds included; edges (2, E) as source and target indices into these nodes.
        """
        nodes = frontier = np.unique(seeds)
        sampled = [np.zeros(0, np.int64)]
        for limit in self._fan_out:
            sampled.append(self._sample_incoming(frontier, limit, masked, random))
            frontier = np.setdiff1d(self._sources[sampled[-1]], nodes)
            nodes = np.union1d(nodes, frontier)
        edges = np.concatenate(sampled)
        return nodes, np.searchsorted(nodes, np.stack([self._sources[edges], self._targets[edges]]))

    def _sample_incoming(
        self, nodes: NDArray[np.int64], limit: int, masked: NDArray[np.bool_], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Indices of at most ``limit`` edges into each of the sorted ``nodes``."""
        starts, counts = self._starts[nodes], self._starts[nodes + 1] - self._starts[nodes]
        indices = np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        indices = indices[~masked[self._pairs[indices]]]
        if limit == ALL:
            return indices
        targets = self._targets[indices]  # sorted, so a target's first position gives the rank of its edges
        shuffled = np.lexsort((random.random(len(indices)), targets))
        rank = np.arange(len(indices)) - np.searchsorted(targets, targets)
        return np.sort(indices[shuffled[rank < limit]])
