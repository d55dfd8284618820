"""How likely it is that all is right that a text states: the likelihood of its tokens, calibrated on held-out texts."""

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
"""The field whose likelihood is asked: it says what the image shows."""
_KEYS = {True: "with_objects", False: "without_objects"}


@dataclass(frozen=True)
class Line:
    """The probability that nothing is wrong: the sigmoid of ``scale`` times the mean log likelihood plus ``shift``.

    Source: Platt, "Probabilistic Outputs for Support Vector Machines", 1999.
    """

    scale: float
    shift: float

    @classmethod
    def learn(cls, log_likelihoods: NDArray[np.float64], right: NDArray[np.float64]) -> Self:
        """From N texts, (N,) and (N,) of 1 and 0.

        Targets stand back from 1 and 0 as Platt's do, so that few texts of which all are right do not make it certain.
        Where a higher likelihood does not mean that a text is more often right, the certainty is the same for all.

        Raises:
            ValueError: there are no texts.
        """
        if not len(right):
            raise ValueError("there are no texts to learn from")
        ups = float(right.sum())
        downs = len(right) - ups
        targets = np.where(right > 0, (ups + 1) / (ups + 2), 1 / (downs + 2))
        flat = cls(0.0, float(logit(targets.mean())))
        if not ups or not downs:
            return flat
        centre = float(log_likelihoods.mean())
        logits, wanted = (torch.from_numpy(np.asarray(values)) for values in (log_likelihoods - centre, targets))
        scale, shift = fit_calibration(logits, wanted)
        return flat if (scale, shift) == (1.0, 0.0) else cls(scale, shift - scale * centre)

    def __call__(self, log_likelihoods: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probabilities for N texts of these mean log likelihoods, (N,)."""
        return np.asarray(expit(self.scale * log_likelihoods + self.shift), dtype=np.float64)


@dataclass(frozen=True)
class Certainty:
    """How sure to be of a writer's alt texts.

    Attributes:
        lines: whether the writer was told what objects there are -> the line of such texts, which are oftener right.
    """

    lines: Mapping[bool, Line]

    @classmethod
    def from_folder(cls, folder: Path) -> Self | None:
        """As :meth:`save` left it; None where there was nothing to learn it from.

        Args:
            folder: of stage ``writer_evaluation``, or a released writer.
        """
        file = folder / CERTAINTY_FILE
        told = read_json(file) if file.is_file() else {}
        lines = {objects: Line(**told[key]) for objects, key in _KEYS.items() if key in told}
        return cls(lines) if lines else None

    def save(self, folder: Path) -> None:
        """Write ``certainty.json``."""
        told = {_KEYS[objects]: asdict(line) for objects, line in self.lines.items()}
        rounded = {key: {name: round(value, 6) for name, value in line.items()} for key, line in told.items()}
        write_json(folder / CERTAINTY_FILE, rounded)

    def __call__(self, log_likelihoods: Mapping[str, float], objects: bool = False) -> float | None:
        """The probability that nothing is wrong in an alt text; None where there is none, or no line for its kind.

        Args:
            log_likelihoods: of the tokens of each field, their mean.
            objects: whether the writer was told what objects there are.
        """
        if FIELD not in log_likelihoods or objects not in self.lines:
            return None
        return float(self.lines[objects](np.array([log_likelihoods[FIELD]]))[0])
