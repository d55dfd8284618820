import torch
from torch.nn import functional

from lightning_modules.layers.cross_modal import CrossModalAttention

FIRST, SECOND = torch.ones(2, 3, dtype=torch.bool), torch.tensor([[True, True, False], [False, False, False]])


def _layer() -> CrossModalAttention:
    torch.manual_seed(0)
    layer = CrossModalAttention(8, heads=2)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return layer.eval()


def test_both_look_at_the_other_as_it_came_in() -> None:
    layer, first, second = _layer(), torch.randn(2, 3, 8), torch.randn(2, 4, 8)
    present = torch.ones(2, 4, dtype=torch.bool)
    met = layer(first, second, FIRST, present)
    seen, told = layer.to_second(first, second).context, layer.to_first(second, first).context
    norm = layer.first_norm
    assert torch.allclose(
        met.first, functional.layer_norm(first + seen, (8,), norm.weight, norm.bias, norm.eps), atol=1e-5
    )
    norm = layer.second_norm
    assert torch.allclose(
        met.second, functional.layer_norm(second + told, (8,), norm.weight, norm.bias, norm.eps), atol=1e-5
    )


def test_what_is_absent_is_not_looked_at() -> None:
    layer, first, second = _layer(), torch.randn(2, 3, 8), torch.randn(2, 3, 8)
    changed = torch.where(SECOND[..., None], second, torch.randn(2, 3, 8))
    one, other = layer(first, second, FIRST, SECOND), layer(first, changed, FIRST, SECOND)
    assert torch.equal(one.first, other.first)
    assert torch.equal(one.second[SECOND], other.second[SECOND])
    assert one.first.isfinite().all()  # also of the row that has nothing to look at
    assert one.second.isfinite().all()


def test_a_row_of_a_batch_is_as_it_is_alone() -> None:
    layer, first, second = _layer(), torch.randn(2, 3, 8), torch.randn(2, 3, 8)
    batch = layer(first, second, FIRST, SECOND)
    alone = layer(first[:1], second[:1, :2], FIRST[:1], SECOND[:1, :2])
    assert torch.allclose(batch.first[:1], alone.first, atol=1e-5)
    assert torch.allclose(batch.second[:1, :2], alone.second, atol=1e-5)
