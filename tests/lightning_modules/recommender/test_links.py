"""Batches of edges: nothing that is judged passes a message, and negatives are none that is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_modules.negatives.negatives import NegativeSampler, Pairs, pair_keys
from lightning_modules.recommender.links import LinkBatch
from lightning_modules.recommender.training import LinkData

NODES = 12
TYPES = ["item"] * 4 + ["product"] * 8


def pairs(least: int = 0) -> st.SearchStrategy[Pairs]:
    """Different pairs of an item and a product, each pointing one way or the other."""
    ends = st.tuples(st.integers(0, 3), st.integers(4, NODES - 1), st.booleans())
    drawn = st.lists(ends, min_size=least, max_size=20, unique_by=lambda end: end[:2])
    return drawn.map(
        lambda ends: np.array([(b, a) if turned else (a, b) for a, b, turned in ends], np.int64).reshape(-1, 2)
    )


def keys(of: Pairs) -> set[int]:
    return set(pair_keys(of, NODES).tolist())


def edges_of(batch: LinkBatch) -> Pairs:
    return batch.edges.numpy().T


def data(train: Pairs, messages: Pairs, batches: int = 3, seed: int = 1) -> LinkData:
    features = np.zeros((NODES, 2), np.float32)
    return LinkData(features, TYPES, messages, train, (train[:1], train[:1]), batches, seed)


@given(pairs(least=1), st.integers(0, 3))
def test_negatives_are_unknown_pairs_of_the_same_types(known: Pairs, seed: int) -> None:
    known = known[:8]  # of 32 pairs: that a known one is drawn 20 times in a row has a probability of 1e-12
    drawn = NegativeSampler(known, TYPES, known).sample(np.random.Generator(np.random.PCG64(seed)))
    assert not keys(drawn) & keys(known)
    types = np.array(TYPES)
    ends = [sorted(zip(types[each[:, 0]], types[each[:, 1]], strict=True)) for each in (drawn, known)]
    assert ends[0] == ends[1]


def test_a_pair_of_one_node_is_no_negative() -> None:
    known = np.array([[0, 1]])
    drawn = NegativeSampler(np.repeat(known, 200, axis=0), ["paper"] * 3, known).sample(np.random.default_rng(1))
    assert keys(drawn) == {2, NODES + 2}
    assert (drawn[:, 0] != drawn[:, 1]).all()


def test_where_every_pair_is_known_there_are_no_negatives() -> None:
    known = np.array([[0, 1], [0, 2], [1, 2]])
    assert NegativeSampler(known, ["paper"] * 3, known).sample(np.random.default_rng(1)).shape == (0, 2)


@given(pairs(least=3), st.integers(0, 4))
def test_predicted_edges_send_no_messages_others_do(train: Pairs, epoch: int) -> None:
    messages = np.array([[0, 1], [5, 6]])
    judged: list[int] = []
    for batch in data(train, messages).epoch(epoch):
        positive = batch.pairs.numpy()[batch.labels.numpy() == 1]
        passing = keys(edges_of(batch))
        assert not passing & keys(positive)
        assert passing == keys(messages) | (keys(train) - keys(positive))
        both = {tuple(edge) for edge in edges_of(batch).tolist()}
        assert both == {(b, a) for a, b in both}
        judged += pair_keys(positive, NODES).tolist()
    assert sorted(judged) == sorted(keys(train))  # each once


@given(pairs(least=4))
def test_negatives_equal_edges_in_number_and_change_per_epoch(train: Pairs) -> None:
    def drawn(epoch: int, seed: int = 1) -> list[list[list[int]]]:
        batches = data(train, np.zeros((0, 2), np.int64), seed=seed).epoch(epoch)
        assert all(abs(int((batch.labels == 0).sum()) - int((batch.labels == 1).sum())) <= 1 for batch in batches)
        return [batch.pairs[batch.labels == 0].tolist() for batch in batches]

    assert drawn(0) == drawn(0)
    assert len({str(drawn(epoch)) for epoch in range(6)}) > 1
    assert not keys(np.concatenate([np.reshape(each, (-1, 2)) for each in drawn(0)])) & keys(train)


@pytest.mark.parametrize("batches", [1, 4])
def test_validation_hears_of_every_train_edge(batches: int) -> None:
    train, messages = np.array([[0, 4], [1, 5], [2, 6], [3, 7]]), np.array([[0, 1]])
    (batch,) = data(train, messages, batches).val_dataloader()
    assert keys(edges_of(batch)) == keys(train) | keys(messages)
    assert len(batch) == 2
