"""Bootstrap confidence intervals, against theory."""

import numpy as np
import pytest

from heddle.evaluation.parameters import BootstrapParameters
from heddle.metrics.bootstrap import ConfidenceInterval

VALUES = (np.arange(400) % 2).astype(float)


def test_interval_of_many_values_has_the_width_of_theory() -> None:
    found = ConfidenceInterval(BootstrapParameters(samples=2000), 1)(0.5, VALUES)
    deviation = 1.96 * 0.5 / np.sqrt(400)
    assert (found["low"], found["high"]) == pytest.approx((0.5 - deviation, 0.5 + deviation), abs=0.006)
    assert found["value"] == 0.5


def test_interval_with_the_same_seed_is_the_same() -> None:
    few = BootstrapParameters(samples=200)
    assert ConfidenceInterval(few, 1)(0.5, VALUES) == ConfidenceInterval(few, 1)(0.5, VALUES)
    assert ConfidenceInterval(few, 1)(0.5, VALUES) != ConfidenceInterval(few, 2)(0.5, VALUES)


@pytest.mark.parametrize("values", [[0.25], [0.25, 0.25, 0.25]])
def test_interval_of_equal_values_has_no_width(values: list[float]) -> None:
    found = ConfidenceInterval(BootstrapParameters(), 1)(0.25, np.array(values))
    assert found == {"value": 0.25, "low": 0.25, "high": 0.25}
