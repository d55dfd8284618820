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
def test_confidence_scaled_scores_is_unchanged(scores: list[float], scale: float) -> None:
    assert 0 <= confidence(scores) <= 1
    if not scores or abs(scores[0]) > 1e-100:
        assert confidence([scale * score for score in scores]) == pytest.approx(confidence(scores))


@pytest.mark.parametrize(
    ("index", "expected"), [(7, 0.25), (2, 0.0), (5, 0.0), (99, 0.0)]
)  # 7 is the best; 2, 5 and 99 were chosen by another ranking
def test_confidence_in_hit_of_other_ranking_by_hand(index: int, expected: float) -> None:
    assert confidence_in(index, Ranking.from_scores({7: 0.8, 2: 0.6, 5: 0.0})) == pytest.approx(expected)


def test_confidence_in_one_document_is_one_and_in_equal_zero() -> None:
    assert confidence_in(3, Ranking.from_scores({3: 0.5})) == 1
    assert (
        confidence_in(3, Ranking.from_scores({3: 0.5, 4: 0.5}))
        == confidence_in(4, Ranking.from_scores({3: 0.5, 4: 0.5}))
        == 0
    )
    assert confidence_in(3, Ranking.from_scores({})) == 0


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6))
def test_confidence_in_first_of_ranking_equals_confidence(scores: list[float]) -> None:
    ranking = Ranking.from_scores(dict(enumerate(scores)))
    assert confidence_in(int(ranking.indices[0]), ranking) == confidence(ranking.scores.tolist())


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "low"), (0.0999, "low"), (0.1, "medium"), (0.3, "medium"), (0.3001, "high"), (1.0, "high")],
)
def test_band_by_hand(value: float, expected: str) -> None:
    assert band(value, Bands()) == expected


def test_bands_medium_above_high_is_refused() -> None:
    with pytest.raises(ValueError, match="medium must not be above high"):
        Bands(high=0.2, medium=0.3)
