"""Calibrated certainty: the probability that every claim of an alt text is correct, from its tokens' likelihood."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, logit

from heddle.core.stage import read_json, write_json
from lightning_modules.training.calibration import fit_calibration

CERTAINTY_FILE = "certainty.json"
FIELD = "alt_text"
"""The field whose likelihood is calibrated: it describes the image."""
_KEYS = {True: "with_objects", False: "without_objects"}


@dataclass(frozen=True)
class PlattScaling:
    """The probability that no claim is wrong: sigmoid(``scale`` · mean log-likelihood + ``shift``).

    Source: Platt, "Probabilistic Outputs for Support Vector Machines", 1999.
    """

    scale: float
    shift: float

    @classmethod
    def fit(cls, log_likelihoods: NDArray[np.float64], correct: NDArray[np.float64]) -> Self:
        """Fit on N texts.

        Targets are smoothed as in Platt's paper, so that a few correct texts do not give a certainty of 1. Where the
        likelihood does not predict correctness, the certainty is constant.

        Args:
            log_likelihoods: mean log-likelihood of each text's tokens, (N,).
            correct: 1 for a text without a wrong claim, else 0, (N,).

        Raises:
            ValueError: N is 0.
        """
        if not len(correct):
            raise ValueError("cannot fit Platt scaling on 0 texts")
        positives = float(correct.sum())
        negatives = len(correct) - positives
        targets = np.where(correct > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
        constant = cls(0.0, float(logit(targets.mean())))
        if not positives or not negatives:
            return constant
        centre = float(log_likelihoods.mean())
        scale, shift = fit_calibration(torch.from_numpy(log_likelihoods - centre), torch.from_numpy(targets))
        return constant if (scale, shift) == (1.0, 0.0) else cls(scale, shift - scale * centre)

    def __call__(self, log_likelihoods: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probabilities of N texts with these mean log-likelihoods, (N,)."""
        return np.asarray(expit(self.scale * log_likelihoods + self.shift), dtype=np.float64)


@dataclass(frozen=True)
class Certainty:
    """Certainty of a writer's alt texts.

    Attributes:
        scalings: whether the writer received objects, to the scaling of these texts. With objects fewer claims are
            wrong, so the two cases are calibrated apart.
    """

    scalings: Mapping[bool, PlattScaling]

    @classmethod
    def from_folder(cls, folder: Path) -> Self | None:
        """Read ``certainty.json``; None if it is missing or empty.

        Args:
            folder: output of the stage ``writer_evaluation``, or a released writer.
        """
        file = folder / CERTAINTY_FILE
        content = read_json(file) if file.is_file() else {}
        scalings = {objects: PlattScaling(**content[key]) for objects, key in _KEYS.items() if key in content}
        return cls(scalings) if scalings else None

    def save(self, folder: Path) -> None:
        """Write ``certainty.json``."""
        rounded = {
            _KEYS[objects]: {name: round(value, 6) for name, value in asdict(scaling).items()}
            for objects, scaling in self.scalings.items()
        }
        write_json(folder / CERTAINTY_FILE, rounded)

    def __call__(self, log_likelihoods: Mapping[str, float], objects: bool = False) -> float | None:
        """The probability that no claim of an alt text is wrong; None without an alt text or a fitted scaling.

        Args:
            log_likelihoods: field to the mean log-likelihood of its tokens.
            objects: whether the writer received objects.
        """
        if FIELD not in log_likelihoods or objects not in self.scalings:
            return None
        return float(self.scalings[objects](np.array([log_likelihoods[FIELD]]))[0])
