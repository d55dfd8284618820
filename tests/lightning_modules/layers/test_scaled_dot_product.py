import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from lightning_modules.layers.masks import causal_mask, combine_masks, padding_mask
from lightning_modules.layers.scaled_dot_product import ScaledDotProductAttention

HERE = torch.tensor([[True] * 6, [True, True, True, True, False, False]])
MASKS = {
    "none": None,
    "causal": causal_mask(6, 6),
    "padding": padding_mask(HERE),
    "both": combine_masks(padding_mask(HERE), causal_mask(6, 6)),
    "bias": torch.randn(4, 6, 6),
    "masked bias": combine_masks(padding_mask(HERE), torch.randn(4, 6, 6)),
}


def _inputs(queries: int = 6, keys: int = 6) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    query = torch.randn(2, 4, queries, 8, generator=generator)
    key, value = torch.randn(2, 2, 4, keys, 8, generator=generator)
    return query, key, value


@pytest.mark.parametrize("name", MASKS)
def test_both_ways_equal_pytorch(name: str) -> None:
    attention, (query, key, value) = ScaledDotProductAttention(), _inputs()
    expected = functional.scaled_dot_product_attention(query, key, value, attn_mask=MASKS[name])
    fast = attention(query, key, value, MASKS[name])
    slow = attention(query, key, value, MASKS[name], return_weights=True)
    assert fast.weights is None
    torch.testing.assert_close(fast.context, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(slow.context, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(slow.weights @ value, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(slow.weights.sum(dim=-1), torch.ones(2, 4, 6))


@pytest.mark.parametrize("queries", [1, 3, 6])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("return_weights", [False, True])
def test_causal_is_the_mask_of_the_last_queries(queries: int, padded: bool, return_weights: bool) -> None:
    attention, (query, key, value) = ScaledDotProductAttention(), _inputs(queries)
    mask = padding_mask(HERE) if padded else None
    found = attention(query, key, value, mask, causal=True, return_weights=return_weights)
    expected = torch.zeros_like(query)
    for index in range(queries):
        sees = 6 - queries + index + 1
        expected[:, :, index : index + 1] = attention(
            query[:, :, index : index + 1],
            key[:, :, :sees],
            value[:, :, :sees],
            None if mask is None else mask[..., :sees],
        ).context
    torch.testing.assert_close(found.context, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("return_weights", [False, True])
@pytest.mark.parametrize("biased", [False, True])
def test_fully_masked_query_gives_zeros_and_zero_gradients(return_weights: bool, biased: bool) -> None:
    query, key, value = (tensor.requires_grad_() for tensor in _inputs())
    mask = torch.ones(6, 6, dtype=torch.bool)
    mask[2] = False
    given_mask = combine_masks(mask, torch.randn(4, 6, 6)) if biased else mask
    context, weights = ScaledDotProductAttention()(query, key, value, given_mask, return_weights=return_weights)
    assert torch.equal(context[:, :, 2], torch.zeros(2, 4, 8))
    assert weights is None or torch.equal(weights[:, :, 2], torch.zeros(2, 4, 6))
    context.sum().backward()
    for tensor in (query, key, value):
        assert tensor.grad is not None
        assert tensor.grad.isfinite().all()
    assert query.grad is not None
    assert torch.equal(query.grad[:, :, 2], torch.zeros(2, 4, 8))


def test_dropout_belongs_to_training_and_keeps_the_mean() -> None:
    attention, (query, key, value) = ScaledDotProductAttention(dropout=0.25), _inputs()
    plain = attention.eval()(query, key, value, return_weights=True)
    torch.testing.assert_close(attention(query, key, value).context, plain.context, atol=1e-5, rtol=0)
    attention.train()
    torch.manual_seed(0)
    draws = [attention(query, key, value, return_weights=True).weights for _ in range(400)]
    torch.testing.assert_close(torch.stack(draws).mean(dim=0), plain.weights, atol=0.05, rtol=0)
    assert (torch.stack(draws) == 0).float().mean() == pytest.approx(0.25, abs=0.01)
    fast = torch.stack([attention(query, key, value).context for _ in range(400)])
    torch.testing.assert_close(fast.mean(dim=0), plain.context, atol=0.15, rtol=0)
    assert fast.std(dim=0).min() > 0


@given(hidden=st.lists(st.booleans(), min_size=6, max_size=6).filter(lambda row: not all(row)), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_a_hidden_key_might_as_well_not_be_there(hidden: list[bool], seed: int) -> None:
    torch.manual_seed(seed)
    query, key, value = torch.randn(3, 1, 1, 6, 4)
    seen = ~torch.tensor(hidden)
    attention = ScaledDotProductAttention()
    found = attention(query, key, value, padding_mask(seen[None])).context
    torch.testing.assert_close(found, attention(query, key[:, :, seen], value[:, :, seen]).context, atol=1e-5, rtol=0)
