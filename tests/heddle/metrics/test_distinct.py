"""Distinct-n, counted by hand."""

from pathlib import Path

import evaluate
import pytest

from heddle import metrics
from heddle.metrics.distinct import Distinct

TEXTS = ["a red chair", "A blue chair", "a"]


@pytest.mark.parametrize(
    ("texts", "n", "expected"),
    [
        (TEXTS, 1, 4 / 7),  # a, red, chair, blue
        (TEXTS, 2, 4 / 4),  # none across texts: "chair a" is no pair
        (TEXTS, 3, 2 / 2),
        (TEXTS, 4, 0),
        (["a a a a"], 1, 1 / 4),
        (["a a a a"], 2, 1 / 3),
        (["", " "], 1, 0),
    ],
)
def test_distinct_by_hand(texts: list[str], n: int, expected: float) -> None:
    assert metrics.compute(Distinct, predictions=texts, n=n)["distinct"] == expected


def test_anyone_can_load_it_by_path() -> None:
    metric = evaluate.load(str(Path(metrics.__file__).parent / "distinct.py"), keep_in_memory=True)
    assert metric.compute(predictions=["a b", "a c"], n=1) == {"distinct": 3 / 4}
