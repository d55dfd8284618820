"""Retrieval between spaces, on spaces made by hand whose answers are known, and chance against drawing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.alignment.evaluate.cross_modal_retrieval import MEASURES, ceilings, chances, measured, question

kinds = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12)


@given(kinds)
def test_each_different_member_is_asked_once_and_right_is_what_a_listing_joins_it_with(pairs) -> None:
    asking, answering = np.array(pairs).T
    posed = question(asking, answering)
    assert sorted(asking[posed.asking].tolist()) == sorted(set(asking.tolist()))
    assert sorted(answering[posed.answers].tolist()) == sorted(set(answering.tolist()))
    for row, right in zip(posed.asking, posed.right, strict=True):
        assert {answering[posed.answers[place]] for place in right} == {b for a, b in pairs if a == asking[row]}


def test_listings_with_the_same_neighbours_are_one_place_and_any_of_their_images_is_right() -> None:
    images, places = np.arange(5), np.array([7, 7, 7, 2, 2])
    back = question(places, images)
    assert back.right == [frozenset({3, 4}), frozenset({0, 1, 2})]
    perfect = np.zeros((2, 5))
    perfect[0, [3, 4]] = perfect[1, [0, 1, 2]] = 1
    values = measured(perfect, back.right)
    assert values["recall_at_1"].tolist() == pytest.approx([1 / 2, 1 / 3])
    assert ceilings(back.right) == pytest.approx({"recall_at_1": (1 / 2 + 1 / 3) / 2, "recall_at_10": 1})
    assert [values[name].tolist() for name in MEASURES[1:]] == [[1, 1]] * 3


def test_what_ties_comes_after_what_is_wrong() -> None:
    values = measured(np.zeros((1, 3)), [frozenset({0})])
    assert values["recall_at_1"].tolist() == [0]
    assert values["mrr_at_10"].tolist() == pytest.approx([1 / 3])


@given(count=st.integers(1, 14), share=st.floats(0, 1))
@settings(max_examples=6)
def test_chance_is_the_mean_over_orders_drawn(count: int, share: float) -> None:
    right = frozenset(range(1 + int(share * (count - 1))))
    random = np.random.default_rng(count)
    drawn = measured(random.random((200, count)), [right] * 200)
    expected = chances([right], count)
    for name in MEASURES:
        assert drawn[name].mean() == pytest.approx(expected[name], abs=0.12), name
