"""Parts of a graph: what they may hold, and that whole neighbourhoods give the whole graph's embeddings."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lightning_modules.negatives.negatives import Pairs, pair_keys
from lightning_modules.recommender.config import Gat, GraphConfig, Sage
from lightning_modules.recommender.graph import GraphRecommender, edge_logits
from lightning_modules.recommender.neighbour_sampler import ALL, NeighbourSampler
from lightning_modules.recommender.training import LinkData

NODES = 30
KINDS = (Sage("sage", "mean"), Sage("sage", "max"), Sage("sage", "lstm"), Gat("gat", 2, 0.2))


def drawn_pairs(count: int, seed: int) -> Pairs:
    """Different pairs of different nodes, each pointing one way or the other."""
    random = np.random.default_rng(seed)
    pairs = random.permutation(np.array([(a, b) for a in range(NODES) for b in range(a)]))[:count]
    return np.where(random.random((count, 1)) < 0.5, pairs, pairs[:, ::-1])


def data(fan_out: tuple[int, ...] | None, count: int = 70, seed: int = 3) -> LinkData:
    features = np.random.default_rng(1).normal(size=(NODES, 4)).astype(np.float32)
    pairs = drawn_pairs(count, seed)
    messages, train, validation, others = np.split(pairs, [10, count - 20, count - 10])
    return LinkData(features, ["node"] * NODES, messages, train, (validation, others), 4, seed, fan_out)


@given(
    st.integers(0, 60),
    st.lists(st.integers(0, NODES - 1), min_size=1, max_size=6),
    st.lists(st.sampled_from([ALL, 1, 2, 3]), min_size=1, max_size=3),
    st.integers(0, 5),
)
def test_a_part_holds_the_seeds_and_no_more_than_the_fan_out(
    count: int, seeds: list[int], fan_out: list[int], seed: int
) -> None:
    pairs, random = drawn_pairs(count, seed), np.random.default_rng(seed)
    masked = random.random(count) < 0.3
    sampler = NeighbourSampler(pairs, NODES, fan_out)
    nodes, edges = sampler(np.array(seeds), masked, np.random.default_rng(7))
    assert set(seeds) <= set(nodes.tolist())
    assert (np.diff(nodes) > 0).all()
    ends = nodes[edges].T
    assert len(np.unique(ends, axis=0)) == len(ends)
    assert set(pair_keys(ends, NODES).tolist()) <= set(pair_keys(pairs[~masked], NODES).tolist())
    directed = np.concatenate([pairs, pairs[:, ::-1]])[np.tile(~masked, 2)]
    for node in set(seeds):
        heard, known = (ends[:, 1] == node).sum(), (directed[:, 1] == node).sum()
        assert heard == (known if fan_out[0] == ALL else min(known, fan_out[0]))
    if ALL not in fan_out:
        assert np.bincount(ends[:, 1], minlength=NODES).max(initial=0) <= max(fan_out)
    again = sampler(np.array(seeds), masked, np.random.default_rng(7))
    np.testing.assert_array_equal(again[1], edges)


def test_every_neighbour_is_as_likely() -> None:
    sampler = NeighbourSampler(np.array([[0, 1], [2, 0], [0, 3], [1, 2]]), 4, [1])
    random, counts = np.random.default_rng(1), np.zeros(4)
    for _ in range(900):
        nodes, edges = sampler(np.array([0]), np.zeros(4, bool), random)
        counts[nodes[edges[0, 0]]] += 1
    assert counts[0] == 0
    assert np.abs(counts[1:] - 300).max() < 60  # more than four standard deviations


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: getattr(kind, "aggregator", "gat"))
@pytest.mark.parametrize("shallow", [0, 4])
def test_whole_neighbourhoods_give_the_scores_of_the_whole_graph(kind: Sage | Gat, shallow: int) -> None:
    torch.manual_seed(2)
    config = GraphConfig(kind, (8, 6, 4), 4, 0.3, 0.1, nodes=NODES, node_embedding_dim=3, skip_connection_dim=shallow)
    network = GraphRecommender(config).eval()
    whole, parts = data(None), data((ALL, ALL, ALL))
    batches = [(*whole.epoch(2), *whole.val_dataloader()), (*parts.epoch(2), *parts.val_dataloader())]
    assert len(batches[0]) == len(batches[1]) == 5
    for all_of_it, part in zip(*batches, strict=True):
        assert part.nodes is not None
        torch.testing.assert_close(part.nodes[part.pairs], all_of_it.pairs)
        with torch.no_grad():
            expected = edge_logits(network(all_of_it.features, all_of_it.edges), all_of_it.pairs)
            found = edge_logits(network(part.features, part.edges, part.nodes), part.pairs)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("fan_out", [(2, 2), (ALL, 1)])
def test_masked_edges_send_no_messages_and_seeds_repeat(fan_out: tuple[int, ...]) -> None:
    once, again = list(data(fan_out).epoch(1)), list(data(fan_out).epoch(1))
    for batch, same in zip(once, again, strict=True):
        assert batch.nodes is not None
        positive = batch.nodes[batch.pairs[batch.labels == 1]].numpy()
        passing = batch.nodes[batch.edges].numpy().T
        assert not np.isin(pair_keys(positive, NODES), pair_keys(passing, NODES)).any()
        torch.testing.assert_close(same.edges, batch.edges)
    other = next(iter(data(fan_out).epoch(2)))
    assert not torch.equal(other.nodes[other.edges], once[0].nodes[once[0].edges])  # type: ignore[index]
