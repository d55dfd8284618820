"""The graph networks against their formulas, and what must not matter to them."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor
from torch.nn import functional
from torchmetrics.functional.classification import binary_auroc

from assets.recommender.train.parameters import RecommenderParameters
from heddle.core.parameters.section import read_yaml
from lightning_modules.recommender.config import Gat, GraphConfig, Sage
from lightning_modules.recommender.embedder import GraphEmbedder
from lightning_modules.recommender.graph import GraphRecommender, edge_logits
from lightning_modules.recommender.links import LinkBatch
from lightning_modules.recommender.training import GraphModule, LinkAurocLogger

EDGES = torch.tensor([[1, 2, 3, 0, 2, 0, 1, 3], [0, 0, 0, 1, 1, 2, 2, 2]])  # node 3 is told nothing, node 4 is alone
NODES, FEATURES = 5, 6
KINDS: dict[str, Sage | Gat] = {
    "mean": Sage("sage", "mean"),
    "max": Sage("sage", "max"),
    "lstm": Sage("sage", "lstm"),
    "gat": Gat("gat", 4, 0.2),
}


def network(convolution: Sage | Gat, widths: tuple[int, ...] = (8, 12, 4), **changes: Any) -> GraphRecommender:
    torch.manual_seed(3)
    made = GraphRecommender(GraphConfig(convolution, widths, FEATURES, 0.3, 0.1, **changes)).eval()
    for norm in made.norms:  # of a network that has seen something
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
    return made


def features() -> Tensor:
    return torch.randn(NODES, FEATURES, generator=torch.Generator().manual_seed(1))


def neighbours(node: int) -> Tensor:
    return EDGES[0][EDGES[1] == node]


def test_sage_mean_is_the_formula() -> None:
    """h_v = W [x_v ; mean of x_u over the neighbours u] + b (Hamilton et al. 2017, algorithm 1)."""
    made, x = network(KINDS["mean"], (4,)), features()
    layer = made.layers[0]
    joined = torch.cat([layer.lin_r.weight, layer.lin_l.weight], dim=1)  # (4, 2 F)
    with torch.no_grad():
        found = made(x, EDGES)
        for node in range(NODES):
            told = x[neighbours(node)].mean(dim=0) if len(neighbours(node)) else torch.zeros(FEATURES)
            expected = joined @ torch.cat([x[node], told]) + layer.lin_l.bias
            torch.testing.assert_close(found[node], expected)


def test_sage_max_is_the_largest_of_a_layer_over_the_neighbours() -> None:
    made, x = network(KINDS["max"], (4,)), features()
    layer = made.layers[0]
    with torch.no_grad():
        pooled = functional.relu(x @ layer.lin.weight.T + layer.lin.bias)[neighbours(0)].max(dim=0).values
        expected = layer.lin_l.weight @ pooled + layer.lin_l.bias + layer.lin_r.weight @ x[0]
        torch.testing.assert_close(made(x, EDGES)[0], expected)


def test_sage_lstm_is_the_last_state_over_neighbours() -> None:
    made, x = network(KINDS["lstm"], (4,)), features()
    layer = made.layers[0]
    with torch.no_grad():
        found = made(x, EDGES)
        for node in range(NODES):
            states = layer.aggr_module.lstm(x[neighbours(node)][None])[0][0] if len(neighbours(node)) else None
            last = torch.zeros(FEATURES) if states is None else states[-1]
            expected = layer.lin_l.weight @ last + layer.lin_l.bias + layer.lin_r.weight @ x[node]
            torch.testing.assert_close(found[node], expected)


def test_attention_sums_to_one_for_each_node_and_head() -> None:
    made = network(KINDS["gat"], (8,))
    with torch.no_grad():
        _, (edges, attention) = made.layers[0](features(), EDGES, return_attention_weights=True)
    sums = torch.zeros(NODES, 4).index_add_(0, edges[1], attention)
    torch.testing.assert_close(sums, torch.ones(NODES, 4))
    assert made.layers[0].negative_slope == 0.2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("learned", "shallow"), [(0, 0), (3, 0), (3, 4)])
def test_new_numbers_for_the_nodes_change_no_score(kind: str, learned: int, shallow: int) -> None:
    made, x = (
        network(KINDS[kind], nodes=NODES if learned else 0, node_embedding_dim=learned, skip_connection_dim=shallow),
        features(),
    )
    new = torch.tensor([3, 0, 4, 1, 2])  # node i is called new[i]
    moved = torch.empty_like(x)
    moved[new] = x
    pairs = torch.tensor([[0, 1], [2, 4], [3, 0]])
    with torch.no_grad():
        before = made(x, EDGES)
        if made.learned is not None:
            made.learned.weight[new] = made.learned.weight.clone()
        after = made(moved, new[EDGES])
        torch.testing.assert_close(after[new], before, atol=1e-5, rtol=0)
        torch.testing.assert_close(edge_logits(after, new[pairs]), edge_logits(before, pairs), atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", ["mean", "max", "gat"])
def test_edge_order_matters_for_lstm_only(kind: str) -> None:
    made, x = network(KINDS[kind]), features()
    with torch.no_grad():
        turned = made(x, EDGES[:, torch.tensor([7, 2, 0, 5, 1, 3, 6, 4])])
        torch.testing.assert_close(turned, made(x, EDGES), atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_skip_convolution_logit_is_the_mean_of_both_parts(kind: str) -> None:
    made, x = network(KINDS[kind], skip_connection_dim=8), features()
    pairs = torch.tensor([[0, 1], [2, 4], [3, 0]])
    with torch.no_grad():
        found = made(x, EDGES)
        deep, shallow = made.parts(found)
        torch.testing.assert_close(shallow, made.shallow(x, EDGES))
        mean = (edge_logits(deep, pairs) + edge_logits(shallow, pairs)) / 2
        torch.testing.assert_close(edge_logits(found, pairs), mean)
    assert deep.shape == (NODES, 4)
    assert shallow.shape == (NODES, 8)


def test_l2_penalty_is_half_the_squares_in_training_only() -> None:
    made, optimizer = (
        network(KINDS["gat"], node_embedding_dim=3, nodes=NODES, skip_connection_dim=4),
        RecommenderParameters.model_validate(read_yaml(Path("scales/seed.yaml"))["recommender"]),
    )
    pairs, labels = torch.tensor([[0, 1], [2, 4]]), torch.tensor([1.0, 0.0])
    batch = LinkBatch(features(), EDGES, pairs, labels)
    plain, penalised = (GraphModule(made, optimizer, penalty) for penalty in (0.0, 0.3))
    for module in (plain, penalised):
        module.log = lambda *told, **rest: None  # type: ignore[method-assign]
    difference = penalised.training_step(batch, 0) - plain.training_step(batch, 0)
    matrices = {name: each for name, each in made.named_parameters() if each.ndim > 1}
    assert not any("norm" in name or "bias" in name for name in matrices)
    torch.testing.assert_close(difference, 0.15 * sum(each.square().sum() for each in matrices.values()))
    torch.testing.assert_close(penalised.step(batch)["loss"], plain.step(batch)["loss"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_lone_node_has_an_embedding_of_its_own(kind: str) -> None:
    made, x = network(KINDS[kind]), features()
    with torch.no_grad():
        found = made(x, EDGES)
        alone = made(x[4:], torch.zeros(2, 0, dtype=torch.int64))
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found[4:], alone)


def test_no_more_neighbours_than_asked_for_are_read() -> None:
    made, x = network(Sage("sage", "mean", 2)), features()
    kept = EDGES[:, [0, 1, 3, 4, 5, 6]]  # the first two of each node
    with torch.no_grad():
        torch.testing.assert_close(made(x, EDGES), network(KINDS["mean"])(x, kept))


def test_inductive_nodes_have_no_embedding_and_send_nothing() -> None:
    made, x = network(KINDS["mean"], nodes=3, node_embedding_dim=2), features().numpy()
    embed = GraphEmbedder(made)
    without = embed(x[:3], np.array([[0, 1], [1, 2]]), np.zeros((0, 2), np.int64))
    found = embed(x, np.array([[0, 1], [1, 2]]), np.array([[0, 3], [2, 4]]))
    np.testing.assert_allclose(found[:3], without, atol=1e-6)
    assert np.abs(found[3] - found[4]).max() > 1e-3


def test_a_folder_gives_the_network_back(tmp_path: Path) -> None:
    for number, kind in enumerate(KINDS.values()):
        made = network(kind)
        made.save_pretrained(tmp_path / str(number))
        again = GraphRecommender.from_pretrained(tmp_path / str(number))
        with torch.no_grad():
            torch.testing.assert_close(again(features(), EDGES), made(features(), EDGES))


def test_a_width_must_be_shared_out_among_the_heads() -> None:
    with pytest.raises(ValueError, match=r"convolution\.heads: 4 does not divide the width 6"):
        network(KINDS["gat"], (6,))


def test_the_documents_sizes() -> None:
    """128 features, layers of 256, 256 and 128: two matrices and a bias a layer, batch norm after the first two."""
    section = RecommenderParameters.model_validate(read_yaml(Path("scales/seed.yaml"))["recommender"])
    assert (section.dropout, section.learning_rate, section.weight_decay) == (0.3, 1e-3, 5e-4)
    config = GraphConfig(section.convolution, section.hidden_dims, 128, section.dropout, section.feature_dropout)
    with torch.device("meta"):
        made = GraphRecommender(config)
    layers = ((128, 256), (256, 256), (256, 128))
    assert made.count_parameters() == sum(2 * a * b + b for a, b in layers) + 2 * (256 + 256)


def test_mistaken_shapes_are_refused() -> None:
    adapter = TypeAdapter(GraphConfig)
    given = {"convolution": {"kind": "sage", "aggregator": "sum"}, "hidden_dims": [4], "features": 2}
    with pytest.raises(ValidationError, match=re.escape("'mean', 'max' or 'lstm'")):
        adapter.validate_python(given | {"dropout": 0.0, "feature_dropout": 0.0})


def test_the_validation_auc_knows_no_ties_that_there_are_not() -> None:
    logged: dict[str, float] = {}

    class Module:
        def log(self, name: str, value: Tensor, **rest: Any) -> None:
            logged[name] = float(value)

    scores, labels = torch.tensor([40.0, 41.0, 39.0, 42.0]), torch.tensor([0.0, 1.0, 0.0, 1.0])
    assert float(binary_auroc(scores, labels.int())) < 1  # the trap: large scores are squashed to 1
    LinkAurocLogger().on_validation_batch_end(None, Module(), {"scores": scores, "labels": labels}, [1], 0)  # type: ignore[arg-type]
    assert logged["validation_auroc"] == 1.0
