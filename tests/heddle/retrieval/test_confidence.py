"""Confidence and its bands, edges included."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.retrieval.confidence import band, confidence, confidence_in
from heddle.retrieval.parameters import Bands
from heddle.retrieval.ranking import Ranking


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
    ("place", "expected"), [(7, 0.25), (2, 0.0), (5, 0.0), (99, 0.0)]
)  # 7 is the best; 2, 5 and 99 were chosen by another ranking
def test_confidence_in_what_another_ranking_chose(place: int, expected: float) -> None:
    assert confidence_in(place, Ranking.of({7: 0.8, 2: 0.6, 5: 0.0})) == pytest.approx(expected)


def test_confidence_in_a_single_document_and_in_equal_ones() -> None:
    assert confidence_in(3, Ranking.of({3: 0.5})) == 1
    assert confidence_in(3, Ranking.of({3: 0.5, 4: 0.5})) == confidence_in(4, Ranking.of({3: 0.5, 4: 0.5})) == 0
    assert confidence_in(3, Ranking.of({})) == 0


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6))
def test_in_the_ranking_that_chose_both_are_the_same(scores: list[float]) -> None:
    ranking = Ranking.of(dict(enumerate(scores)))
    assert confidence_in(int(ranking.places[0]), ranking) == confidence(ranking.scores.tolist())


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "low"), (0.0999, "low"), (0.1, "medium"), (0.3, "medium"), (0.3001, "high"), (1.0, "high")],
)
def test_bands_by_hand(value: float, expected: str) -> None:
    assert band(value, Bands()) == expected


def test_bands_stand_in_order() -> None:
    with pytest.raises(ValueError, match="medium must not be above high"):
        Bands(high=0.2, medium=0.3)
