"""Retrieval between spaces, on spaces made by hand whose answers are known, and chance against drawing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.alignment.evaluate.cross_modal_retrieval import (
    METRICS,
    chance_metrics,
    per_query_metrics,
    retrieval_task,
    upper_bounds,
)

kinds = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12)


@given(kinds)
def test_retrieval_task_has_each_distinct_vector_once(pairs) -> None:
    asking, answering = np.array(pairs).T
    task = retrieval_task(asking, answering)
    assert sorted(asking[task.queries].tolist()) == sorted(set(asking.tolist()))
    assert sorted(answering[task.candidates].tolist()) == sorted(set(answering.tolist()))
    for row, relevant in zip(task.queries, task.relevant, strict=True):
        assert {answering[task.candidates[index]] for index in relevant} == {b for a, b in pairs if a == asking[row]}


def test_listings_with_the_same_neighbours_share_one_query() -> None:
    images, nodes = np.arange(5), np.array([7, 7, 7, 2, 2])
    back = retrieval_task(nodes, images)
    assert back.relevant == [frozenset({3, 4}), frozenset({0, 1, 2})]
    perfect = np.zeros((2, 5))
    perfect[0, [3, 4]] = perfect[1, [0, 1, 2]] = 1
    values = per_query_metrics(perfect, back.relevant)
    assert values["recall_at_1"].tolist() == pytest.approx([1 / 2, 1 / 3])
    assert upper_bounds(back.relevant) == pytest.approx({"recall_at_1": (1 / 2 + 1 / 3) / 2, "recall_at_10": 1})
    assert [values[name].tolist() for name in METRICS[1:]] == [[1, 1]] * 3


def test_relevant_candidates_are_ranked_last_among_ties() -> None:
    values = per_query_metrics(np.zeros((1, 3)), [frozenset({0})])
    assert values["recall_at_1"].tolist() == [0]
    assert values["mrr_at_10"].tolist() == pytest.approx([1 / 3])


@given(count=st.integers(1, 14), share=st.floats(0, 1))
@settings(max_examples=6)
def test_chance_is_the_mean_over_random_orders(count: int, share: float) -> None:
    relevant = frozenset(range(1 + int(share * (count - 1))))
    random = np.random.default_rng(count)
    drawn = per_query_metrics(random.random((200, count)), [relevant] * 200)
    expected = chance_metrics([relevant], count)
    for name in METRICS:
        assert drawn[name].mean() == pytest.approx(expected[name], abs=0.12), name
