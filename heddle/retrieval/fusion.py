"""Several rankings of the same documents as one."""

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from heddle.retrieval.ranking import Ranking


def reciprocal_rank_fusion(rankings: Sequence[Ranking], constant: int = 60) -> Ranking:
    """Each document's sum over the rankings that hold it of 1 / (constant + rank), ranks from 1.

    Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
    Methods", SIGIR 2009.
    """
    gains: dict[int, list[float]] = defaultdict(list)
    for ranking in rankings:
        for rank, place in enumerate(ranking.places.tolist(), start=1):
            gains[place].append(1 / (constant + rank))
    return Ranking.of({place: math.fsum(parts) for place, parts in gains.items()})


def weighted_fusion(rankings: Sequence[Ranking], weights: Sequence[float]) -> Ranking:
    """Each document's weighted sum of its scores, those of each ranking moved to [0, 1] by its least and its largest.

    What a ranking does not hold scores 0 there, as its last document does.

    Args:
        rankings: in any scale of scores.
        weights: of the rankings, at least 0, in their order.

    Raises:
        ValueError: there are not as many weights as rankings.
    """
    gains: dict[int, list[float]] = defaultdict(list)
    for ranking, weight in zip(rankings, weights, strict=True):
        for place, score in zip(ranking.places.tolist(), min_max(ranking.scores).tolist(), strict=True):
            gains[place].append(weight * score)
    return Ranking.of({place: math.fsum(parts) for place, parts in gains.items()})


def min_max(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores (N,) moved to [0, 1]; all 1 where they are equal: each is as good as the best."""
    if not len(scores):
        return scores
    least, largest = scores.min(), scores.max()
    return (scores - least) / (largest - least) if largest > least else np.ones_like(scores)
