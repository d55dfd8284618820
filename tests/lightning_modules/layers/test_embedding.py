import math

import pytest
import torch

from lightning_modules.layers.embedding import TokenEmbedding


def test_is_scaled_by_the_root_of_the_width_and_starts_as_xaviers() -> None:
    torch.manual_seed(0)
    embedding = TokenEmbedding(1000, 64)
    tokens = torch.tensor([[3, 5], [999, 0]])
    torch.testing.assert_close(embedding(tokens), embedding.weight[tokens] * 8)
    bound = math.sqrt(6 / (1000 + 64))
    assert embedding.weight.abs().max().item() == pytest.approx(bound, rel=1e-3)
    assert embedding.weight.var().item() == pytest.approx(bound**2 / 3, rel=0.02)


def test_clips_is_neither() -> None:
    torch.manual_seed(0)
    embedding = TokenEmbedding(1000, 64, scaled=False, std=0.02)
    assert torch.equal(embedding(torch.tensor([7])), embedding.weight[7:8])
    assert embedding.weight.std().item() == pytest.approx(0.02, rel=0.02)
