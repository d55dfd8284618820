"""Calibrated certainty: the probability that every claim of an alt text is correct, from its tokens' likelihood."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np

from heddle.core.stage import read_json, write_json
from heddle.evaluation.platt_scaling import PlattScaling

CERTAINTY_FILE = "certainty.json"
FIELD = "alt_text"
"""The field whose likelihood is calibrated: it describes the image."""
_KEYS = {True: "with_objects", False: "without_objects"}


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
