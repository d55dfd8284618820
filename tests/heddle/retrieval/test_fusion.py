"""Fusion by hand and by its properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.retrieval.fusion import min_max, reciprocal_rank_fusion, weighted_fusion
from heddle.retrieval.ranking import Ranking

scored = st.dictionaries(st.integers(0, 12), st.floats(-5, 5).map(lambda score: round(score, 2)), max_size=10)
rankings = st.lists(scored.map(Ranking.from_scores), min_size=1, max_size=4)


def as_dict(ranking: Ranking) -> dict[int, float]:
    return dict(zip(ranking.indices.tolist(), ranking.scores.tolist(), strict=True))


def test_reciprocal_rank_fusion_by_hand() -> None:
    fused = reciprocal_rank_fusion(
        [Ranking.from_scores({7: 0.9, 2: 0.8, 5: 0.1}), Ranking.from_scores({2: 30, 4: 20})], 60
    )
    assert fused.indices.tolist() == [2, 7, 4, 5]
    assert fused.scores.tolist() == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62, 1 / 63])


def test_weighted_fusion_by_hand() -> None:
    fused = weighted_fusion(
        [Ranking.from_scores({7: 0.9, 2: 0.8, 5: 0.1}), Ranking.from_scores({2: 30, 4: 20, 5: 10})], (0.6, 0.4)
    )
    assert fused.indices.tolist() == [2, 7, 4, 5]
    assert fused.scores.tolist() == pytest.approx([0.6 * 7 / 8 + 0.4, 0.6, 0.2, 0.0])


def test_weighted_fusion_missing_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        weighted_fusion([Ranking.from_scores({1: 1.0}), Ranking.from_scores({1: 1.0})], (1.0,))


@given(rankings, st.randoms(use_true_random=False))
def test_fusion_shuffled_rankings_gives_the_same(given_rankings: list[Ranking], random) -> None:
    shuffled = list(given_rankings)
    random.shuffle(shuffled)
    assert as_dict(reciprocal_rank_fusion(shuffled)) == as_dict(reciprocal_rank_fusion(given_rankings))
    weights = [0.3] * len(shuffled)
    assert as_dict(weighted_fusion(shuffled, weights)) == as_dict(weighted_fusion(given_rankings, weights))


@given(rankings)
def test_fusion_is_union_sorted_by_score_then_index(rankings: list[Ranking]) -> None:
    for fused in (reciprocal_rank_fusion(rankings), weighted_fusion(rankings, [1.0] * len(rankings))):
        found = set().union(*(ranking.indices.tolist() for ranking in rankings))
        assert sorted(fused.indices.tolist()) == sorted(found)
        keys = list(zip(-fused.scores, fused.indices, strict=True))
        assert keys == sorted(keys)


@given(scored.map(Ranking.from_scores))
def test_fusion_with_empty_ranking_keeps_order(ranking: Ranking) -> None:
    empty = Ranking.from_scores({})
    assert reciprocal_rank_fusion([ranking, empty]).indices.tolist() == ranking.indices.tolist()
    fused = weighted_fusion([empty, ranking], (0.6, 0.4))
    assert dict(as_dict(fused)) == pytest.approx(
        dict(zip(ranking.indices.tolist(), 0.4 * min_max(ranking.scores), strict=True))
    )


@given(rankings)
def test_fusion_keeps_order_that_all_rankings_share(rankings: list[Ranking]) -> None:
    fused = {index: rank for rank, index in enumerate(reciprocal_rank_fusion(rankings).indices.tolist())}
    last = 10_000
    ranks = [{index: rank for rank, index in enumerate(ranking.indices.tolist())} for ranking in rankings]
    for one in fused:
        for other in fused:
            if all(rank.get(one, last) < rank.get(other, last + 1) for rank in ranks) and one != other:
                assert fused[one] < fused[other]


@given(scored.filter(bool).map(Ranking.from_scores), st.floats(0.1, 9), st.floats(-3, 3))
def test_min_max_scaled_scores_gives_the_same(ranking: Ranking, scale: float, shift: float) -> None:
    moved = Ranking(ranking.indices, ranking.scores * scale + shift)
    np.testing.assert_allclose(min_max(moved.scores), min_max(ranking.scores), atol=1e-6)


@pytest.mark.parametrize(
    ("scores", "expected"), [([], []), ([3.0], [1.0]), ([2.0, 2.0], [1.0, 1.0]), ([1.0, -1.0], [1.0, 0.0])]
)
def test_min_max_by_hand(scores: list[float], expected: list[float]) -> None:
    assert min_max(np.array(scores)).tolist() == expected


def test_ranking_equal_scores_are_sorted_by_index() -> None:
    assert Ranking.top(np.array([1.0, 2.0, 1.0, 2.0]), 3).indices.tolist() == [1, 3, 0]
    assert Ranking.from_scores({3: 1.0, 1: 1.0, 2: 5.0}).indices.tolist() == [2, 1, 3]
    assert Ranking.top(np.array([1.0, 0.0, -2.0]), 9).above(0).indices.tolist() == [0]


def test_reciprocal_rank_fusion_with_weights_by_hand() -> None:
    fused = reciprocal_rank_fusion(
        [Ranking.from_scores({7: 0.9, 2: 0.8}), Ranking.from_scores({2: 30.0})], 60, (0.75, 0.25)
    )
    assert fused.indices.tolist() == [2, 7]
    assert fused.scores.tolist() == pytest.approx([0.75 / 62 + 0.25 / 61, 0.75 / 61])
