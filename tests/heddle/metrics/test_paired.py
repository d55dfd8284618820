from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_rel

from heddle.evaluation.parameters import BootstrapParameters
from heddle.metrics.judgements import judged
from heddle.metrics.ndcg import Ndcg
from heddle.metrics.paired import paired_difference

SETTINGS: dict[str, Any] = {"bootstrap": BootstrapParameters(samples=999, confidence=0.95), "seed": 1}
HUNDRED = BootstrapParameters(samples=100, confidence=0.9)


def _hard_and_easy(count: int) -> np.ndarray:
    return np.random.default_rng(3).uniform(0, 1, count)


def test_a_system_does_not_differ_from_itself() -> None:
    values = _hard_and_easy(40)
    found = paired_difference(values, values, **SETTINGS)
    assert (found.mean, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_a_little_better_everywhere_is_clearly_better() -> None:
    # Unpaired, the spread between the queries would hide it.
    values = _hard_and_easy(40)
    better = values + np.random.default_rng(4).uniform(0, 0.1, 40)
    found = paired_difference(better, values, **SETTINGS)
    assert 0 < found.low < found.mean < found.high
    assert found.p_value == 1 / 1000
    back = paired_difference(values, better, **SETTINGS)
    assert (back.mean, back.low, back.high) == pytest.approx((-found.mean, -found.high, -found.low))
    assert back.p_value == found.p_value


def test_the_interval_is_as_wide_as_theory_says() -> None:
    differences = (np.arange(400) % 2).astype(float)
    found = paired_difference(differences + 1, np.ones(400), BootstrapParameters(samples=2000), seed=1)
    deviation = 1.96 * 0.5 / np.sqrt(400)
    assert (found.low, found.high) == pytest.approx((0.5 - deviation, 0.5 + deviation), abs=0.006)


@pytest.mark.parametrize("better_by", [0, 0.05, 0.1, 0.15])
def test_the_p_value_is_near_that_of_student_s_test(better_by: float) -> None:
    # For normal differences his is exact; 4000 resamples say 0.5 with a standard error of 0.008.
    other = np.random.default_rng(5).normal(size=400)
    one = other + np.random.default_rng(6).normal(better_by, 1, size=400)
    found = paired_difference(one, other, BootstrapParameters(samples=4000), seed=1)
    assert found.p_value == pytest.approx(ttest_rel(one, other).pvalue, abs=0.03)


def test_the_seed_decides() -> None:
    one, other = _hard_and_easy(20), _hard_and_easy(20)[::-1]
    assert paired_difference(one, other, HUNDRED, 1) == paired_difference(one, other, HUNDRED, 1)
    assert paired_difference(one, other, HUNDRED, 1) != paired_difference(one, other, HUNDRED, 2)


def test_two_rankings_of_the_same_queries_are_compared() -> None:
    references = [judged({f"right {query}": 2}) for query in range(30)]
    first = [[f"right {query}", "x", "y"] for query in range(30)]
    last = [["x", "y", f"right {query}"] for query in range(30)]
    found = paired_difference(*(Ndcg.per_query(lists, references, k=10) for lists in (first, last)), **SETTINGS)
    assert found.mean == pytest.approx(0.5)
    assert found.low > 0


@pytest.mark.parametrize(("one", "other"), [([0.1, 0.2], [0.1]), ([], [])])
def test_what_is_no_pair_is_refused(one: list[float], other: list[float]) -> None:
    with pytest.raises(ValueError, match="as many values"):
        paired_difference(np.array(one), np.array(other), **SETTINGS)
