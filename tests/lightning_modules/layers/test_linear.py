from typing import get_args

import pytest
import torch
from torch.nn import functional

from lightning_modules.layers.config_types import Initialization
from lightning_modules.layers.linear import LinearLayer

FAN_IN, FAN_OUT = 400, 200
VARIANCE = {"kaiming": 2 / FAN_IN, "xavier": 2 / (FAN_IN + FAN_OUT)}


@pytest.mark.parametrize("initialization", get_args(Initialization))
def test_the_first_weights_have_the_papers_variance_and_shape(initialization: Initialization) -> None:
    torch.manual_seed(0)
    layer = LinearLayer(FAN_IN, FAN_OUT, initialization=initialization)
    paper, shape = initialization.split("_")
    assert layer.weight.var().item() == pytest.approx(VARIANCE[paper], rel=0.02)
    # The fourth moment tells the shapes apart: 1.8 for a uniform distribution, 3 for a normal one.
    kurtosis = (layer.weight**4).mean() / layer.weight.var() ** 2
    assert kurtosis.item() == pytest.approx(1.8 if shape == "uniform" else 3.0, rel=0.03)
    assert torch.equal(layer.bias, torch.zeros(FAN_OUT))


def test_the_order_is_linear_norm_activation_dropout() -> None:
    torch.manual_seed(0)
    layer = LinearLayer(5, 7, activation="relu", norm="layer", dropout=0.5)
    x = torch.randn(300, 5)
    plain = functional.relu(functional.layer_norm(functional.linear(x, layer.weight, layer.bias), (7,)))
    torch.testing.assert_close(layer.eval()(x), plain)
    dropped = layer.train()(x)
    kept = dropped != 0
    torch.testing.assert_close(dropped[kept], 2 * plain[kept])  # so nothing came after the dropout
    assert kept.sum() / (plain != 0).sum() == pytest.approx(0.5, abs=0.05)


def test_batch_norm_merges_leading_dimensions() -> None:
    torch.manual_seed(0)
    layer = LinearLayer(5, 7, norm="batch")
    x = torch.randn(4, 6, 5)
    y = layer(x)
    torch.testing.assert_close(y, layer(x.view(24, 5)).view(4, 6, 7))
    torch.testing.assert_close(y.mean(dim=(0, 1)), torch.zeros(7), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.var(dim=(0, 1), correction=0), torch.ones(7), atol=1e-3, rtol=0)


def test_no_bias_means_none() -> None:
    assert [name for name, _ in LinearLayer(3, 2, bias=False).named_parameters()] == ["weight"]
