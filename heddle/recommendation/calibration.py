"""What the evaluation of a recommender fits on validation data: probabilities, and a bound for query texts."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from heddle.core.stage import read_json, write_json
from heddle.evaluation.platt_scaling import PlattScaling

CALIBRATION_FILE = "calibration.json"
DIGITS = 6


@dataclass(frozen=True)
class RecommenderCalibration:
    """Turns scores into probabilities, and decides which query texts match a node.

    Attributes:
        probability: score of a pair -> probability of an edge, for as many negatives as edges; None: not fitted.
        min_similarity: smallest cosine of a query text and its nearest node; None: every text matches a node.
    """

    probability: PlattScaling | None = None
    min_similarity: float | None = None

    @classmethod
    def open(cls, recommender: Path) -> Self:
        """Read ``calibration.json``; without the file nothing is fitted.

        Args:
            recommender: a released recommender, which contains the file, or output of the stage ``recommender``, beside
                which the stage ``recommender_evaluation`` wrote it.
        """
        for folder in (recommender, recommender.with_name("recommender_evaluation")):
            if (folder / CALIBRATION_FILE).is_file():
                content = read_json(folder / CALIBRATION_FILE)
                scaling = content["probability"]
                return cls(None if scaling is None else PlattScaling(**scaling), content["min_similarity"])
        return cls()

    def save(self, folder: Path) -> None:
        """Write ``calibration.json``."""
        scaling = None
        if self.probability is not None:
            scaling = {name: round(value, DIGITS) for name, value in asdict(self.probability).items()}
        floor = None if self.min_similarity is None else round(self.min_similarity, DIGITS)
        write_json(folder / CALIBRATION_FILE, {"probability": scaling, "min_similarity": floor})
