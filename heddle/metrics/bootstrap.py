"""How sure a mean over few values is."""

import numpy as np
from numpy.typing import NDArray


class ConfidenceInterval:
    """Adds bootstrap bounds to a mean.

    Args:
        resamples: how often the values are drawn anew.
        confidence: share of the resamples between the bounds.
        seed: of the drawing.
    """

    def __init__(self, resamples: int, confidence: float, seed: int) -> None:
        self.resamples, self.confidence, self.seed = resamples, confidence, seed

    def __call__(self, name: str, value: float, values: NDArray[np.float64]) -> dict[str, float]:
        """``name``, ``name_low`` and ``name_high``; ``values`` are what ``value`` is the mean of."""
        low, high = bootstrap_interval(values, self.resamples, self.confidence, self.seed)
        return {name: value, f"{name}_low": low, f"{name}_high": high}


def bootstrap_interval(
    values: NDArray[np.float64], resamples: int, confidence: float, seed: int
) -> tuple[float, float]:
    """The percentile interval (Efron 1979) of the mean of ``values`` (N,), drawn anew ``resamples`` times."""
    random = np.random.Generator(np.random.PCG64(seed))
    means = [random.choice(values, len(values)).mean() for _ in range(resamples)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    return float(low), float(high)
