import torch
from torch.nn import functional

from lightning_modules.layers.masks import causal_mask
from lightning_modules.layers.multi_head import MultiHeadAttention
from lightning_modules.layers.simple import SimpleAttention


def test_is_multi_head_attention_with_one_head() -> None:
    simple, multi = SimpleAttention(6), MultiHeadAttention(6, heads=1)
    for name in ("query", "key", "value"):
        getattr(multi, name).load_state_dict(getattr(simple, name).state_dict())
    multi.output.weight.data = torch.eye(6)
    query, memory = torch.randn(2, 3, 6), torch.randn(2, 5, 6)
    mask = causal_mask(3, 5)
    context, weights = simple(query, memory, memory, mask)
    expected = multi(query, memory, mask=mask, return_weights=True)
    torch.testing.assert_close(context, expected.context)
    torch.testing.assert_close(weights, expected.weights.squeeze(1))


def test_the_space_of_comparison_may_be_narrower() -> None:
    attention = SimpleAttention(6, 2)
    query, key, value = torch.randn(2, 3, 6), torch.randn(2, 5, 6), torch.randn(2, 5, 6)
    context, weights = attention(query, key, value)
    scores = attention.query(query) @ attention.key(key).transpose(1, 2) / 2**0.5
    torch.testing.assert_close(weights, functional.softmax(scores, dim=-1))
    torch.testing.assert_close(context, weights @ attention.value(value))
