import pytest
import torch

from lightning_modules.layers.cache import DecoderCache
from lightning_modules.layers.checkpointed import CheckpointedDecoder
from lightning_modules.layers.config import TransformerConfig
from lightning_modules.layers.decoder import TransformerDecoder

CONFIG = TransformerConfig(
    context_length=8,
    hidden_size=8,
    num_layers=3,
    num_heads=2,
    intermediate_size=16,
    activation="gelu",
    positions="rotary",
    dropout=0.2,
)


def _both() -> tuple[TransformerDecoder, TransformerDecoder]:
    torch.manual_seed(0)
    plain, checkpointed = (kind(CONFIG, cross_attention=True) for kind in (TransformerDecoder, CheckpointedDecoder))
    checkpointed.load_state_dict(plain.state_dict())
    return plain, checkpointed


def test_a_step_is_the_same_as_one_that_keeps_everything() -> None:
    states, memory = torch.randn(2, 5, 8), torch.randn(2, 3, 8)
    present = torch.tensor([[True, True, False], [True, True, True]])
    found = []
    for decoder in _both():
        torch.manual_seed(1)  # dropout is drawn anew on the way back, and must be drawn alike
        told = states.clone().requires_grad_()
        output = decoder(told, memory=memory, memory_present=present)
        output.square().sum().backward()
        found.append([output, told.grad, *(parameter.grad for parameter in decoder.parameters())])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-6)


def test_less_is_kept_for_the_way_back() -> None:
    kept = []
    for decoder in _both():
        sizes: list[int] = []

        def keep(tensor: torch.Tensor, sizes: list[int] = sizes) -> torch.Tensor:
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            decoder(torch.randn(2, 5, 8, requires_grad=True), memory=torch.randn(2, 3, 8))
        kept.append(sum(sizes))
    assert kept[1] < kept[0] / 3


@pytest.mark.parametrize("cached", [False, True])
def test_it_writes_as_the_other_does(cached: bool) -> None:
    states, memory = torch.randn(2, 5, 8), torch.randn(2, 3, 8)
    with torch.no_grad():
        one, other = (
            decoder.eval()(states, memory=memory, cache=DecoderCache(3) if cached else None) for decoder in _both()
        )
    assert torch.equal(one, other)
