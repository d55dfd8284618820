"""Guides, judgements, conversations, preferences and the graph fit together."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_shop import Shop
from demo_shop.compatibility import auroc, graph
from demo_shop.guide_topics import IDEAS, KINDS
from demo_shop.guides import guides


def test_judgements_join_questions_and_guides(shop: Shop) -> None:
    questions = {row["id"] for row in shop.queries}
    known = {shop.guide_row(guide)["id"] for guide in shop.guides}
    assert {row["query"] for row in shop.qrels} == questions
    assert {row["guide"] for row in shop.qrels} <= known
    assert {row["relevance"] for row in shop.qrels} <= {0, 1, 2, 3}
    pairs = [(row["query"], row["guide"]) for row in shop.qrels]
    assert len(set(pairs)) == len(pairs)


def test_each_question_has_one_answer_and_graded_neighbours() -> None:
    large = Shop(7, 48, 300)
    grades = [row["relevance"] for row in large.qrels]
    assert grades.count(3) == 300
    assert grades.count(2) > 100
    assert grades.count(1) > 100
    assert len({guide.title for guide in large.guides}) > 280


def test_guides_are_distinct_and_ideas_suit_the_material() -> None:
    everything = guides(7, 500)
    assert len({(guide.action, guide.item, guide.material, guide.topic) for guide in everything}) == 500
    for guide in everything:
        if guide.action == "reuse":
            assert KINDS[guide.material] in IDEAS[guide.topic][3]
        assert all(step in guide.text(random.Random(0)) for step in guide.steps)


def test_too_many_guides_are_refused() -> None:
    with pytest.raises(ValueError, match="guides, 5000 were asked for"):
        guides(7, 5000)


def test_conversations_and_preferences_have_their_forms(shop: Shop) -> None:
    for row in shop.conversations:
        roles = [message["role"] for message in row["messages"]]
        assert roles[-2:] == ["user", "assistant"]
        assert roles[:-2] in ([], ["system"])
    for row in shop.preferences:
        assert row["chosen"] != row["rejected"]
        assert all(row[name] for name in ("id", "prompt", "chosen", "rejected"))


def test_the_graph_joins_known_nodes_and_has_a_reachable_ceiling(shop: Shop) -> None:
    nodes = {node["id"] for node in shop.graph.nodes}
    assert len(nodes) == len(shop.graph.nodes)
    for edge in shop.graph.edges:
        assert {edge["source"], edge["target"]} <= nodes
    large = graph(7, 200)
    assert 0.05 < len(large.edges) / (35 * 200) < 0.35
    assert 0.9 < large.upper_bound < 1


@given(st.lists(st.tuples(st.integers(0, 5).map(float), st.booleans()), min_size=2, max_size=40))
def test_auc_counts_pairs(scored: list[tuple[float, bool]]) -> None:
    positives = [score for score, present in scored if present]
    negatives = [score for score, present in scored if not present]
    if not positives or not negatives:
        return
    wins = sum((a > b) + 0.5 * (a == b) for a in positives for b in negatives)
    assert auroc(scored) == pytest.approx(wins / len(positives) / len(negatives))
