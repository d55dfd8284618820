"""Pairs of nodes that no known edge joins: what a link predictor learns and is judged to tell from edges."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Pairs = NDArray[np.int64]
"""Rows of two nodes, (P, 2)."""
ROUNDS = 20
"""How often a drawn pair that is known is drawn anew; where nearly all pairs are known, some stay and are left out."""


class NegativeSampler:
    """Draws as many pairs as there are positives, of the same two types of node, uniformly among those not known.

    Args:
        positives: pairs of an edge's source and target.
        types: of each node, (N,).
        known: pairs that must not be drawn, in either direction.
    """

    def __init__(self, positives: Pairs, types: Sequence[str], known: Pairs) -> None:
        kinds, place = np.unique(np.asarray(types, dtype=str), return_inverse=True)
        self._nodes = len(types)
        self._pools = [np.flatnonzero(place == kind) for kind in range(len(kinds))]
        ends, counts = np.unique(place[positives].reshape(-1, 2), axis=0, return_counts=True)
        self._kinds = [(int(one), int(other), int(count)) for (one, other), count in zip(ends, counts, strict=True)]
        self._known = np.unique(pair_keys(known, self._nodes))

    def draw(self, random: np.random.Generator) -> Pairs:
        """Pairs (P, 2), with repeats; fewer where hardly any pair is unknown."""
        drawn = [self._of_kind(source, target, count, random) for source, target, count in self._kinds]
        return np.concatenate([np.zeros((0, 2), np.int64), *drawn])

    def _of_kind(self, source: int, target: int, count: int, random: np.random.Generator) -> Pairs:
        pairs = np.zeros((count, 2), np.int64)
        wrong = np.ones(count, bool)
        for _ in range(ROUNDS):
            pairs[wrong, 0] = random.choice(self._pools[source], wrong.sum())
            pairs[wrong, 1] = random.choice(self._pools[target], wrong.sum())
            wrong = self._is_known(pairs)
            if not wrong.any():
                break
        return pairs[~wrong]

    def _is_known(self, pairs: Pairs) -> NDArray[np.bool_]:
        return np.isin(pair_keys(pairs, self._nodes), self._known) | (pairs[:, 0] == pairs[:, 1])


def pair_keys(pairs: Pairs, nodes: int) -> NDArray[np.int64]:
    """One number for each pair (P, 2) of ``nodes`` nodes, the same for both directions, (P,)."""
    return pairs.min(axis=1) * nodes + pairs.max(axis=1)
