"""Platt scaling: the probability that belongs to a score.

Applying a scaling does not import torch, so commands that print probabilities start fast.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit


@dataclass(frozen=True)
class PlattScaling:
    """The probability of a positive: sigmoid(``scale`` · score + ``shift``).

    Source: Platt, "Probabilistic Outputs for Support Vector Machines", 1999.
    """

    scale: float
    shift: float

    @classmethod
    def fit(cls, scores: NDArray[np.float64], labels: NDArray[np.float64]) -> Self:
        """Fit on N scores.

        Targets are smoothed as in Platt's paper, so that a few positives do not give a probability of 1. Where the
        score does not predict the label, the probability is constant.

        Args:
            scores: (N,).
            labels: 1 for a positive, else 0, (N,).

        Raises:
            ValueError: N is 0.
        """
        if not len(labels):
            raise ValueError("cannot fit Platt scaling on 0 scores")
        import torch

        from lightning_modules.training.calibration import fit_calibration

        positives = float(labels.sum())
        negatives = len(labels) - positives
        targets = np.where(labels > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
        constant = cls(0.0, float(logit(targets.mean())))
        if not positives or not negatives:
            return constant
        centre = float(scores.mean())
        scale, shift = fit_calibration(torch.from_numpy(scores - centre), torch.from_numpy(targets))
        return constant if (scale, shift) == (1.0, 0.0) else cls(scale, shift - scale * centre)

    def __call__(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probabilities of these scores, (N,)."""
        return np.asarray(expit(self.scale * scores + self.shift), dtype=np.float64)
