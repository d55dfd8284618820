"""Fusion of several rankings of the same documents into one."""

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from heddle.retrieval.ranking import Ranking


def reciprocal_rank_fusion(
    rankings: Sequence[Ranking], constant: int = 60, weights: Sequence[float] | None = None
) -> Ranking:
    """Score each document with the weighted sum of 1 / (constant + rank) over the rankings that contain it.

    Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
    Methods", SIGIR 2009.

    Args:
        rankings: to fuse; ranks count from 1.
        constant: k of the formula.
        weights: one for each ranking; 1 for each if None.

    Raises:
        ValueError: the numbers of weights and rankings differ.
    """
    weights = [1.0] * len(rankings) if weights is None else weights
    parts: dict[int, list[float]] = defaultdict(list)
    for ranking, weight in zip(rankings, weights, strict=True):
        for rank, index in enumerate(ranking.indices.tolist(), start=1):
            parts[index].append(weight * (1 / (constant + rank)))
    return Ranking.from_scores({index: math.fsum(terms) for index, terms in parts.items()})


def weighted_fusion(rankings: Sequence[Ranking], weights: Sequence[float]) -> Ranking:
    """Score each document with the weighted sum of its min-max-scaled scores.

    A document that a ranking does not contain scores 0 in it, as the last document of the ranking does.

    Args:
        rankings: to fuse; their scores may have different scales.
        weights: one for each ranking, at least 0.

    Raises:
        ValueError: the numbers of weights and rankings differ.
    """
    parts: dict[int, list[float]] = defaultdict(list)
    for ranking, weight in zip(rankings, weights, strict=True):
        for index, score in zip(ranking.indices.tolist(), min_max(ranking.scores).tolist(), strict=True):
            parts[index].append(weight * score)
    return Ranking.from_scores({index: math.fsum(terms) for index, terms in parts.items()})


def min_max(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale scores (N,) linearly to [0, 1]; equal scores all become 1, because each is the best."""
    if not len(scores):
        return scores
    smallest, largest = scores.min(), scores.max()
    return (scores - smallest) / (largest - smallest) if largest > smallest else np.ones_like(scores)
