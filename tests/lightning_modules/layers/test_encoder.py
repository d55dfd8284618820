from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lightning_modules.layers.config import NormOrder
from lightning_modules.layers.encoder import TransformerEncoder, TransformerEncoderLayer
from lightning_modules.layers.masks import padding_mask
from tests.support.copied_weights import copy_encoder_layer, shake
from tests.support.kinds import KINDS, transformer

PRESENT = torch.tensor([[True] * 5, [True, True, False, False, False]])


@pytest.mark.parametrize("norm", ["first", "last"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_a_layer_equals_pytorch_on_copied_weights(norm: NormOrder, activation: Any) -> None:
    config = transformer(norm=norm, activation=activation, dropout=0.1)
    theirs = nn.TransformerEncoderLayer(
        16, 4, 24, dropout=0.1, activation=activation, batch_first=True, norm_first=norm == "first"
    ).eval()
    ours = TransformerEncoderLayer(config).eval()
    shake(theirs)
    copy_encoder_layer(theirs, ours)
    x = torch.randn(2, 5, 16, requires_grad=True)  # with a gradient PyTorch takes its plain way
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=1e-5)
    found = ours(x, mask=padding_mask(PRESENT))
    expected = theirs(x, src_key_padding_mask=~PRESENT)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4), in_front=st.booleans())
@settings(deadline=None, max_examples=12)
def test_a_padded_batch_gives_the_same_as_each_row_alone(kind: dict, lengths: list[int], in_front: bool) -> None:
    torch.manual_seed(sum(lengths))
    encoder = TransformerEncoder(transformer(**kind))
    states = torch.randn(len(lengths), 6, 16)
    present = torch.arange(6) < torch.tensor(lengths)[:, None]
    present = present.flip(1) if in_front else present
    found = encoder(states, present)
    assert found.isfinite().all()
    for row, here in enumerate(present):
        alone = encoder(states[row : row + 1, here])
        torch.testing.assert_close(found[row : row + 1, here], alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_every_token_sees_every_other_and_knows_their_order(kind: dict) -> None:
    encoder = TransformerEncoder(transformer(**kind))
    states = torch.randn(1, 6, 16, requires_grad=True)
    for index in range(6):
        (gradient,) = torch.autograd.grad(encoder(states)[0, index].square().sum(), states)
        assert (gradient[0].abs().sum(dim=-1) > 0).all()
    swapped = states[:, [0, 2, 1, 3, 4, 5]]
    assert (encoder(swapped)[:, 0] - encoder(states)[:, 0]).abs().max() > 1e-4


def test_norm_first_has_one_more_norm() -> None:
    first, last = TransformerEncoder(transformer(norm="first")), TransformerEncoder(transformer(norm="last"))
    torch.testing.assert_close(first(torch.randn(1, 6, 16)).mean(dim=-1), torch.zeros(1, 6), atol=1e-6, rtol=0)
    assert sum(p.numel() for p in first.parameters()) == sum(p.numel() for p in last.parameters()) + 32


def test_learned_positions_end() -> None:
    with pytest.raises(ValueError, match="17 tokens exceed the 16 learned positions"):
        TransformerEncoder(transformer())(torch.randn(1, 17, 16))


@pytest.mark.parametrize("positions", ["sinusoidal", "rotary", "alibi"])
def test_other_positions_do_not(positions: str) -> None:
    torch.manual_seed(0)
    small = TransformerEncoder(transformer(positions=positions, context_length=4))
    large = TransformerEncoder(transformer(positions=positions, context_length=64))
    large.load_state_dict(small.state_dict())
    states = torch.randn(1, 50, 16)
    torch.testing.assert_close(small(states), large(states))
