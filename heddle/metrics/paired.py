"""Compare two systems on the same queries."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heddle.evaluation.parameters import BootstrapParameters
from heddle.metrics.bootstrap import bootstrap_means


@dataclass(frozen=True)
class Difference:
    """The mean difference between two systems.

    Attributes:
        mean: mean of the differences, query by query.
        low, high: percentile bootstrap interval of the mean.
        p_value: two-sided probability of a difference at least as large under the null hypothesis of no difference.
    """

    mean: float
    low: float
    high: float
    p_value: float


def paired_difference(
    one: NDArray[np.float64], other: NDArray[np.float64], bootstrap: BootstrapParameters, seed: int
) -> Difference:
    """Compute how much better ``one`` is than ``other`` by the paired bootstrap (Efron and Tibshirani 1993).

    Each resample draws queries with both their values, so the difficulty of a query cancels out. The p-value is
    two-sided: it counts the resampled means, centred at 0, that are at least as far from 0 as the observed mean. It is
    never 0, because the observed sample counts as one resample. With 50 queries or fewer, the interval and the p-value
    are slightly too optimistic.

    Args:
        one, other: values of a metric, query by query, in the same order, (N,).
        bootstrap: number of resamples and confidence level.
        seed: random seed of the resampling.

    Raises:
        ValueError: the two arrays differ in length, or are empty.
    """
    if one.shape != other.shape or not len(one):
        raise ValueError(f"a paired difference needs as many values of both systems, found {len(one)} and {len(other)}")
    differences = one - other
    mean = differences.mean()
    low, high, means = bootstrap_means(differences, bootstrap, seed)
    as_far = (np.abs(means - mean) >= abs(mean)).sum()
    return Difference(float(mean), low, high, float((1 + as_far) / (1 + bootstrap.samples)))
