"""Negative sampling for link prediction: pairs of nodes without a known edge."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Pairs = NDArray[np.int64]
"""Rows of two node indices, (P, 2)."""
ROUNDS = 20
"""How often a sampled pair that is a known edge is sampled again. Pairs that are still known afterwards are dropped."""


class NegativeSampler:
    """Samples one negative per positive, uniformly among the unknown pairs of the same two node types.

    Args:
        positives: source and target of each edge, (P, 2).
        types: type of each node, (N,).
        known: pairs that are never sampled, in either direction, (K, 2).
    """

    def __init__(self, positives: Pairs, types: Sequence[str], known: Pairs) -> None:
        names, type_ids = np.unique(np.asarray(types, dtype=str), return_inverse=True)
        self._num_nodes = len(types)
        self._pools = [np.flatnonzero(type_ids == type_id) for type_id in range(len(names))]
        ends, counts = np.unique(type_ids[positives].reshape(-1, 2), axis=0, return_counts=True)
        self._counts = [(int(one), int(other), int(count)) for (one, other), count in zip(ends, counts, strict=True)]
        self._known = np.unique(pair_keys(known, self._num_nodes))

    def sample(self, random: np.random.Generator) -> Pairs:
        """Sample pairs (P, 2), with repeats; fewer than P if nearly all pairs are known."""
        sampled = [self._sample_types(source, target, count, random) for source, target, count in self._counts]
        return np.concatenate([np.zeros((0, 2), np.int64), *sampled])

    def _sample_types(self, source: int, target: int, count: int, random: np.random.Generator) -> Pairs:
        pairs = np.zeros((count, 2), np.int64)
        rejected = np.ones(count, bool)
        for _ in range(ROUNDS):
            pairs[rejected, 0] = random.choice(self._pools[source], rejected.sum())
            pairs[rejected, 1] = random.choice(self._pools[target], rejected.sum())
            rejected = self._is_known(pairs)
            if not rejected.any():
                break
        return pairs[~rejected]

    def _is_known(self, pairs: Pairs) -> NDArray[np.bool_]:
        return np.isin(pair_keys(pairs, self._num_nodes), self._known) | (pairs[:, 0] == pairs[:, 1])


def pair_keys(pairs: Pairs, nodes: int) -> NDArray[np.int64]:
    """One number (P,) per pair (P, 2) of ``nodes`` nodes, equal for both directions of a pair."""
    return pairs.min(axis=1) * nodes + pairs.max(axis=1)
