"""Whether one system is better than another, judged on the same queries."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Difference:
    """How much better one system is than another.

    Attributes:
        mean: of the queries' differences.
        low, high: percentile bootstrap interval of the mean.
        p_value: how often a difference as large, either way, would come about by the choice of queries alone.
    """

    mean: float
    low: float
    high: float
    p_value: float


def paired_difference(
    one: NDArray[np.float64], other: NDArray[np.float64], resamples: int, confidence: float, seed: int
) -> Difference:
    """How much better ``one`` is than ``other``, by the paired bootstrap (Efron and Tibshirani 1993, chapter 16).

    The queries are drawn anew, each with both its values: what makes a query easy for both cancels out. The p-value is
    two-sided, of the resampled means moved to 0; it is never 0, because the sample itself counts as a resample. With
    few queries, fifty or less, both are a little surer than they should be.

    Args:
        one, other: a measure's values, query by query, in the same order, (N,).
        resamples: how often the queries are drawn.
        confidence: share of the resampled means within the interval.
        seed: of the drawing.

    Raises:
        ValueError: the systems did not answer the same number of queries, or none.
    """
    if one.shape != other.shape or not len(one):
        raise ValueError(f"{len(one)} and {len(other)} values are no pairs")
    differences = one - other
    mean = differences.mean()
    random = np.random.Generator(np.random.PCG64(seed))
    means = np.array([random.choice(differences, len(differences)).mean() for _ in range(resamples)])
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    as_far = (np.abs(means - mean) >= abs(mean)).sum()
    return Difference(float(mean), float(low), float(high), float((1 + as_far) / (1 + resamples)))
