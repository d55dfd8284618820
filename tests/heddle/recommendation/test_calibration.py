"""The file of a calibration: written by the evaluation, read beside the recommender or from a released one."""

from pathlib import Path

import pytest

from heddle.evaluation.platt_scaling import PlattScaling
from heddle.recommendation.calibration import RecommenderCalibration


@pytest.mark.parametrize(
    "calibration",
    [RecommenderCalibration(), RecommenderCalibration(PlattScaling(1.5, -0.25), 0.5)],
    ids=["nothing fitted", "fitted"],
)
@pytest.mark.parametrize("folder", ["recommender", "recommender_evaluation"])
def test_open_returns_what_was_saved(tmp_path: Path, folder: str, calibration: RecommenderCalibration) -> None:
    (tmp_path / folder).mkdir()
    calibration.save(tmp_path / folder)
    assert RecommenderCalibration.open(tmp_path / "recommender") == calibration


def test_open_without_file_fits_nothing(tmp_path: Path) -> None:
    assert RecommenderCalibration.open(tmp_path / "recommender") == RecommenderCalibration()
