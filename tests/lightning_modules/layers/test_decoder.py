import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lightning_modules.layers.cache import DecoderCache
from lightning_modules.layers.config import NormOrder
from lightning_modules.layers.decoder import TransformerDecoder, TransformerDecoderLayer
from lightning_modules.layers.masks import causal_mask, padding_mask
from tests.support.copied_weights import copy_decoder_layer, shake
from tests.support.kinds import KINDS, transformer

MEMORY_PRESENT = torch.tensor([[True] * 7, [True] * 3 + [False] * 4])


@pytest.mark.parametrize("norm", ["first", "last"])
def test_a_layer_equals_pytorch_on_copied_weights(norm: NormOrder) -> None:
    theirs = nn.TransformerDecoderLayer(
        16, 4, 24, activation="gelu", batch_first=True, norm_first=norm == "first"
    ).eval()
    ours = TransformerDecoderLayer(transformer(norm=norm, dropout=0.1), cross_attention=True).eval()
    shake(theirs)
    copy_decoder_layer(theirs, ours)
    x, memory = torch.randn(2, 5, 16), torch.randn(2, 7, 16)
    expected = theirs(x, memory, tgt_mask=~causal_mask(5, 5), memory_key_padding_mask=~MEMORY_PRESENT)
    found = ours(x, memory, causal=True, memory_mask=padding_mask(MEMORY_PRESENT))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@given(changed=st.integers(1, 7), padded=st.booleans())
@settings(deadline=None, max_examples=10)
def test_a_later_token_never_changes_an_earlier_state(kind: dict, changed: int, padded: bool) -> None:
    torch.manual_seed(changed)
    decoder = TransformerDecoder(transformer(**kind), cross_attention=False)
    states, present = torch.randn(1, 8, 16), torch.ones(1, 8, dtype=torch.bool) if padded else None
    other = states.clone()
    other[:, changed] += torch.randn(16)
    before, after = decoder(states, present), decoder(other, present)
    torch.testing.assert_close(after[:, :changed], before[:, :changed], atol=1e-6, rtol=0)
    assert ((after - before)[0, changed:].abs().sum(dim=-1) > 1e-4).all()  # it and all that follow


@pytest.mark.parametrize("kind", KINDS)
@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4), in_front=st.booleans())
@settings(deadline=None, max_examples=10)
def test_a_padded_batch_gives_the_same_as_each_row_alone(kind: dict, lengths: list[int], in_front: bool) -> None:
    torch.manual_seed(sum(lengths))
    decoder = TransformerDecoder(transformer(**kind), cross_attention=True)
    states, memory = torch.randn(len(lengths), 6, 16), torch.randn(len(lengths), 6, 16)
    present = torch.arange(6) < torch.tensor(lengths)[:, None]
    memory_present, present = present, present.flip(1) if in_front else present
    found = decoder(states, present, memory=memory, memory_present=memory_present)
    assert found.isfinite().all()
    for row, (here, there) in enumerate(zip(present, memory_present, strict=True)):
        alone = decoder(states[row : row + 1, here], memory=memory[row : row + 1, there])
        torch.testing.assert_close(found[row : row + 1, here], alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chunks", [[1] * 6, [4, 1, 1], [2, 3, 1], [6]])
@pytest.mark.parametrize("padded", [False, True])
def test_the_cache_changes_nothing(kind: dict, chunks: list[int], padded: bool) -> None:
    decoder = TransformerDecoder(transformer(**kind), cross_attention=True)
    states, memory = torch.randn(2, 6, 16), torch.randn(2, 7, 16)
    present = torch.tensor([[False, False, True, True, True, True], [True] * 6]) if padded else None
    context = {"memory": memory, "memory_present": MEMORY_PRESENT}
    cache, done, parts = DecoderCache(2), 0, []
    for count in chunks:
        until = done + count
        seen = None if present is None else present[:, :until]
        parts.append(decoder(states[:, done:until], seen, cache=cache, **context))
        done = until
    expected = decoder(states, present, **context)
    torch.testing.assert_close(torch.cat(parts, dim=1), expected, atol=1e-5, rtol=1e-5)


def test_the_memory_is_projected_once() -> None:
    decoder, cache = TransformerDecoder(transformer(), cross_attention=True), DecoderCache(2)
    states, memory = torch.randn(2, 2, 16), torch.randn(2, 7, 16)
    decoder(states[:, :1], memory=memory, cache=cache)
    second = decoder(states[:, 1:], memory=torch.full_like(memory, torch.nan), cache=cache)
    torch.testing.assert_close(second, decoder(states, memory=memory)[:, 1:], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_one_layer_knows_the_order_of_what_came_before(kind: dict) -> None:
    torch.manual_seed(0)
    decoder = TransformerDecoder(transformer(num_layers=1, **kind), cross_attention=False)
    states = torch.randn(1, 6, 16)
    swapped = states[:, [0, 2, 1, 3, 4, 5]]  # without positions the last token would see the same set
    assert (decoder(swapped)[:, -1] - decoder(states)[:, -1]).abs().max() > 1e-3
