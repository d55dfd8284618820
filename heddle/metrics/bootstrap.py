"""Bootstrap confidence intervals of means, by SciPy."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap as scipy_bootstrap

from heddle.evaluation.parameters import BootstrapParameters

BATCH = 100
"""Resamples in memory at once."""


class Interval(TypedDict):
    """A metric with its confidence interval: one leaf of ``metrics.json``."""

    value: float
    low: float
    high: float


class ConfidenceInterval:
    """Computes bootstrap confidence intervals of means.

    Args:
        bootstrap: number of resamples and confidence level.
        seed: random seed of the resampling.
    """

    def __init__(self, bootstrap: BootstrapParameters, seed: int) -> None:
        self.bootstrap, self.seed = bootstrap, seed

    def __call__(self, value: float, values: NDArray[np.float64]) -> Interval:
        """The interval of ``value``, which is the mean of ``values`` (N,)."""
        low, high, _ = bootstrap_means(values, self.bootstrap, self.seed)
        return {"value": value, "low": low, "high": high}


def bootstrap_means(
    values: NDArray[np.float64], bootstrap: BootstrapParameters, seed: int
) -> tuple[float, float, NDArray[np.float64]]:
    """Compute the percentile interval (Efron 1979) of the mean of ``values`` (N,), N at least 1.

    Returns:
        Lower and upper end of the interval, and the means of the resamples, (samples,).
    """
    if len(values) == 1:  # SciPy refuses a sample of one observation
        value = float(values[0])
        return value, value, np.full(bootstrap.samples, value)
    found = scipy_bootstrap(
        (values,),
        np.mean,
        n_resamples=bootstrap.samples,
        batch=BATCH,
        confidence_level=bootstrap.confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    interval = found.confidence_interval
    return float(interval.low), float(interval.high), found.bootstrap_distribution
