import pytest
import torch
from torch import nn

from lightning_modules.layers.perceptron import MultiLayerPerceptron


def _written_out(network: MultiLayerPerceptron) -> nn.Sequential:
    first, second = network.hidden
    assert isinstance(first, nn.Linear)
    assert isinstance(second, nn.Linear)
    layers = [nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 3)]
    for ours, theirs in zip((first, second, network.output), layers[::2], strict=True):
        theirs.load_state_dict({"weight": ours.weight, "bias": ours.bias})
    return nn.Sequential(*layers)


def test_equals_the_layers_written_out() -> None:
    network = MultiLayerPerceptron(5, [8, 8], 3, activation="tanh")
    x = torch.randn(2, 4, 5)
    torch.testing.assert_close(network(x), _written_out(network)(x))


def test_the_way_past_is_taken_where_widths_agree() -> None:
    network = MultiLayerPerceptron(5, [8, 8], 3, activation="tanh", residual=True)
    layers = _written_out(network)
    x = torch.randn(4, 5)
    first = layers[:2](x)  # 5 -> 8, no way past
    torch.testing.assert_close(network(x), layers[4](first + layers[2:4](first)))


def test_each_hidden_layer_may_have_its_own_dropout() -> None:
    network = MultiLayerPerceptron(5, [400, 400], 3, activation="sigmoid", dropout=[0.1, 0.6])
    x = torch.randn(20, 5)
    shares = []
    for layer in network.hidden:
        x = layer(x)
        shares.append((x == 0).float().mean().item())
    assert shares == pytest.approx([0.1, 0.6], abs=0.03)
    assert network.output.dropout is None


def test_too_few_dropouts_are_refused() -> None:
    with pytest.raises(ValueError, match="1 dropouts for 2 hidden layers"):
        MultiLayerPerceptron(5, [8, 8], 3, activation="relu", dropout=[0.1])
