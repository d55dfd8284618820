"""Confidence and its bands, edges included."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.parameters.retrieval import Bands
from assets.retrieval.confidence import band, confidence


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([], 0.0),  # no hit
        ([0.4], 1.0),  # one hit
        ([0.8, 0.6], 0.25),
        ([0.8, 0.6, 0.1], 0.25),
        ([0.8, 0.8], 0.0),
        ([0.8, 0.0], 1.0),
        ([0.8, -0.4], 1.0),
        ([0.0, 0.0], 0.0),
        ([0.0], 0.0),
        ([-0.2, -0.4], 0.0),
        ([-0.2], 0.0),
    ],
)
def test_confidence_by_hand(scores: list[float], expected: float) -> None:
    assert confidence(scores) == pytest.approx(expected)


@given(st.lists(st.floats(-1e6, 1e6), max_size=5).map(lambda scores: sorted(scores, reverse=True)), st.floats(0.5, 9))
def test_confidence_is_a_share_whatever_the_scale(scores: list[float], scale: float) -> None:
    assert 0 <= confidence(scores) <= 1
    if not scores or abs(scores[0]) > 1e-100:
        assert confidence([scale * score for score in scores]) == pytest.approx(confidence(scores))


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "low"), (0.0999, "low"), (0.1, "medium"), (0.3, "medium"), (0.3001, "high"), (1.0, "high")],
)
def test_bands_by_hand(value: float, expected: str) -> None:
    assert band(value, Bands()) == expected


def test_bands_stand_in_order() -> None:
    with pytest.raises(ValueError, match="medium must not be above high"):
        Bands(high=0.2, medium=0.3)
