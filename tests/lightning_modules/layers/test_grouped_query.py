import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaAttention, LlamaRotaryEmbedding

from lightning_modules.layers.cache import FixedCache, GrowingCache
from lightning_modules.layers.grouped_query import GroupedQueryAttention
from lightning_modules.layers.multi_head import MultiHeadAttention
from lightning_modules.layers.rotary import RotaryPositions, Rotation
from tests.support.copied_weights import shake

WIDTH, LENGTH = 32, 10


def _llama(heads: int, key_value_heads: int) -> tuple[LlamaAttention, LlamaRotaryEmbedding]:
    config = LlamaConfig(
        hidden_size=WIDTH,
        num_attention_heads=heads,
        num_key_value_heads=key_value_heads,
        attention_bias=True,
        attn_implementation="sdpa",
    )
    return LlamaAttention(config, layer_idx=0).eval(), LlamaRotaryEmbedding(config)


@pytest.mark.parametrize(("heads", "key_value_heads"), [(8, 4), (4, 1), (4, 4)])
def test_with_rotary_positions_equals_llama(heads: int, key_value_heads: int) -> None:
    theirs, their_rotary = _llama(heads, key_value_heads)
    shake(theirs)
    ours = GroupedQueryAttention(WIDTH, heads, key_value_heads)
    for mine, name in ((ours.query, "q"), (ours.key, "k"), (ours.value, "v"), (ours.output, "o")):
        mine.load_state_dict(getattr(theirs, f"{name}_proj").state_dict())
    x, positions = torch.randn(2, LENGTH, WIDTH), torch.arange(LENGTH)
    expected, _ = theirs(x, position_embeddings=their_rotary(x, positions[None]), attention_mask=None)
    rotation = RotaryPositions(LENGTH, WIDTH // heads)(positions, LENGTH)
    found = ours(x, causal=True, rotation=rotation).context
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_shared_heads_equal_heads_with_the_same_weights() -> None:
    shared, full = GroupedQueryAttention(WIDTH, 8, 2), MultiHeadAttention(WIDTH, 8)
    full.query, full.output = shared.query, shared.output
    for name in ("key", "value"):
        weight = getattr(shared, name).weight.view(2, 4, WIDTH)  # (groups, head_width, width)
        getattr(full, name).weight.data = weight.repeat_interleave(4, dim=0).reshape(WIDTH, WIDTH)
    x = torch.randn(2, LENGTH, WIDTH)
    torch.testing.assert_close(shared(x).context, full(x).context)


def test_default_sizes_halve_the_cache() -> None:
    attention, cache = GroupedQueryAttention(512), GrowingCache()
    attention(torch.randn(1, 3, 512), cache=cache)
    assert attention.heads == 8
    assert cache.held is not None
    assert cache.held[0].shape == cache.held[1].shape == (1, 4, 3, 64)


@pytest.mark.parametrize(("width", "heads", "key_value_heads"), [(10, 4, 2), (12, 4, 3)])
def test_numbers_that_do_not_divide_are_refused(width: int, heads: int, key_value_heads: int) -> None:
    with pytest.raises(ValueError, match="must divide"):
        GroupedQueryAttention(width, heads, key_value_heads)


def _token(rotation: Rotation, index: int) -> Rotation:
    return Rotation(*(part[index : index + 1] for part in rotation))


def test_token_by_token_equals_all_at_once() -> None:
    attention = GroupedQueryAttention(WIDTH)
    x = torch.randn(2, LENGTH, WIDTH)
    rotation = RotaryPositions(LENGTH, WIDTH // 8)(torch.arange(LENGTH), LENGTH)
    cache = GrowingCache()
    steps: list[Tensor] = [
        attention(x[:, index : index + 1], causal=True, rotation=_token(rotation, index), cache=cache).context
        for index in range(LENGTH)
    ]
    expected = attention(x, causal=True, rotation=rotation).context
    torch.testing.assert_close(torch.cat(steps, dim=1), expected, atol=1e-5, rtol=1e-5)


def test_a_fixed_cache_looks_at_the_memory_once() -> None:
    attention, cache = GroupedQueryAttention(WIDTH), FixedCache()
    x, memory = torch.randn(2, 3, WIDTH), torch.randn(2, 5, WIDTH)
    first = attention(x, memory, cache=cache).context
    again = attention(x, torch.full_like(memory, torch.nan), cache=cache).context
    assert torch.equal(first, again)
    torch.testing.assert_close(first, attention(x, memory).context)


def test_no_bias_means_none() -> None:
    names = {name for name, _ in GroupedQueryAttention(WIDTH, bias=False).named_parameters()}
    assert names == {"query.weight", "key.weight", "value.weight", "output.weight"}
