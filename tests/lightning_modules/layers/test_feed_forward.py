import pytest
import torch
from torch.nn import functional

from lightning_modules.layers.config import NormOrder
from lightning_modules.layers.feed_forward import FeedForwardBlock


@pytest.mark.parametrize("norm", ["first", "last", None])
@pytest.mark.parametrize("residual", [False, True])
def test_equals_the_formula(norm: NormOrder | None, residual: bool) -> None:
    block = FeedForwardBlock(6, 24, activation="gelu", dropout=0.5, norm=norm, residual=residual).eval()
    x = torch.randn(2, 3, 6) * 4

    def normalise(y: torch.Tensor, place: NormOrder) -> torch.Tensor:
        return functional.layer_norm(y, (6,)) if norm == place else y

    hidden = functional.gelu(block.hidden.weight @ normalise(x, "first").unsqueeze(-1))
    y = (block.output.weight @ hidden).squeeze(-1)
    torch.testing.assert_close(block(x), normalise(x + y if residual else y, "last"))


def test_dropout_follows_hidden_layer_and_output() -> None:
    torch.manual_seed(0)
    block = FeedForwardBlock(6, 400, activation="sigmoid", dropout=0.25, norm=None, residual=False)
    x = torch.randn(200, 6)
    assert (block.hidden(x) == 0).float().mean() == pytest.approx(0.25, abs=0.02)
    assert (block(x) == 0).float().mean() == pytest.approx(0.25, abs=0.05)
