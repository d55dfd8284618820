"""Fusion by hand and by its properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.retrieval.fusion import min_max, reciprocal_rank_fusion, weighted_fusion
from heddle.retrieval.ranking import Ranking

scored = st.dictionaries(st.integers(0, 12), st.floats(-5, 5).map(lambda score: round(score, 2)), max_size=10)
rankings = st.lists(scored.map(Ranking.of), min_size=1, max_size=4)


def as_dict(ranking: Ranking) -> dict[int, float]:
    return dict(zip(ranking.places.tolist(), ranking.scores.tolist(), strict=True))


def test_reciprocal_ranks_by_hand() -> None:
    fused = reciprocal_rank_fusion([Ranking.of({7: 0.9, 2: 0.8, 5: 0.1}), Ranking.of({2: 30, 4: 20})], 60)
    assert fused.places.tolist() == [2, 7, 4, 5]
    assert fused.scores.tolist() == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62, 1 / 63])


def test_weighted_scores_by_hand() -> None:
    fused = weighted_fusion([Ranking.of({7: 0.9, 2: 0.8, 5: 0.1}), Ranking.of({2: 30, 4: 20, 5: 10})], (0.6, 0.4))
    assert fused.places.tolist() == [2, 7, 4, 5]
    assert fused.scores.tolist() == pytest.approx([0.6 * 7 / 8 + 0.4, 0.6, 0.2, 0.0])


def test_as_many_weights_as_rankings() -> None:
    with pytest.raises(ValueError, match="shorter"):
        weighted_fusion([Ranking.of({1: 1.0}), Ranking.of({1: 1.0})], (1.0,))


@given(rankings, st.randoms(use_true_random=False))
def test_the_order_of_the_rankings_does_not_matter(given_rankings: list[Ranking], random) -> None:
    shuffled = list(given_rankings)
    random.shuffle(shuffled)
    assert as_dict(reciprocal_rank_fusion(shuffled)) == as_dict(reciprocal_rank_fusion(given_rankings))
    weights = [0.3] * len(shuffled)
    assert as_dict(weighted_fusion(shuffled, weights)) == as_dict(weighted_fusion(given_rankings, weights))


@given(rankings)
def test_what_is_fused_is_the_union_in_the_order_of_its_scores_and_then_of_its_places(rankings: list[Ranking]) -> None:
    for fused in (reciprocal_rank_fusion(rankings), weighted_fusion(rankings, [1.0] * len(rankings))):
        found = set().union(*(ranking.places.tolist() for ranking in rankings))
        assert sorted(fused.places.tolist()) == sorted(found)
        keys = list(zip(-fused.scores, fused.places, strict=True))
        assert keys == sorted(keys)


@given(scored.map(Ranking.of))
def test_a_ranking_fused_with_nothing_keeps_its_order(ranking: Ranking) -> None:
    nothing = Ranking.of({})
    assert reciprocal_rank_fusion([ranking, nothing]).places.tolist() == ranking.places.tolist()
    fused = weighted_fusion([nothing, ranking], (0.6, 0.4))
    assert dict(as_dict(fused)) == pytest.approx(
        dict(zip(ranking.places.tolist(), 0.4 * min_max(ranking.scores), strict=True))
    )


@given(rankings)
def test_what_stands_before_another_everywhere_stands_before_it_after_fusion(rankings: list[Ranking]) -> None:
    fused = {place: rank for rank, place in enumerate(reciprocal_rank_fusion(rankings).places.tolist())}
    last = 10_000
    ranks = [{place: rank for rank, place in enumerate(ranking.places.tolist())} for ranking in rankings]
    for one in fused:
        for other in fused:
            if all(rank.get(one, last) < rank.get(other, last + 1) for rank in ranks) and one != other:
                assert fused[one] < fused[other]


@given(scored.filter(bool).map(Ranking.of), st.floats(0.1, 9), st.floats(-3, 3))
def test_scale_and_origin_of_scores_do_not_matter(ranking: Ranking, scale: float, shift: float) -> None:
    moved = Ranking(ranking.places, ranking.scores * scale + shift)
    np.testing.assert_allclose(min_max(moved.scores), min_max(ranking.scores), atol=1e-6)


@pytest.mark.parametrize(
    ("scores", "expected"), [([], []), ([3.0], [1.0]), ([2.0, 2.0], [1.0, 1.0]), ([1.0, -1.0], [1.0, 0.0])]
)
def test_min_max_by_hand(scores: list[float], expected: list[float]) -> None:
    assert min_max(np.array(scores)).tolist() == expected


def test_equal_scores_stand_in_the_order_of_their_places() -> None:
    assert Ranking.of_all(np.array([1.0, 2.0, 1.0, 2.0]), 3).places.tolist() == [1, 3, 0]
    assert Ranking.of({3: 1.0, 1: 1.0, 2: 5.0}).places.tolist() == [2, 1, 3]
    assert Ranking.of_all(np.array([1.0, 0.0, -2.0]), 9).above(0).places.tolist() == [0]
