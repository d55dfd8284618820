import pytest
import torch
from torch import nn

from lightning_modules.layers.masks import causal_mask, combine_masks, padding_mask
from lightning_modules.layers.multi_head import MultiHeadAttention
from tests.support.copied_weights import copy_attention, shake

PRESENT = torch.tensor([[True] * 5, [True, True, True, False, False], [True, False, False, False, False]])


def _pair() -> tuple[nn.MultiheadAttention, MultiHeadAttention]:
    theirs, ours = nn.MultiheadAttention(12, 3, batch_first=True), MultiHeadAttention(12, heads=3)
    shake(theirs)
    copy_attention(theirs, ours)
    return theirs, ours


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_equals_pytorch_on_copied_weights(causal: bool, padded: bool) -> None:
    theirs, ours = _pair()
    x = torch.randn(3, 5, 12)
    # PyTorch's masks are True where nothing may be seen.
    expected, expected_weights = theirs(
        x,
        x,
        x,
        key_padding_mask=~PRESENT if padded else None,
        attn_mask=~causal_mask(5, 5) if causal else None,
        average_attn_weights=False,
    )
    mask = padding_mask(PRESENT) if padded else None
    fast, slow = ours(x, mask=mask, causal=causal), ours(x, mask=mask, causal=causal, return_weights=True)
    torch.testing.assert_close(fast.context, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(slow.context, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(slow.weights, expected_weights, atol=1e-5, rtol=0)
    joined = combine_masks(mask, causal_mask(5, 5)) if causal else mask
    torch.testing.assert_close(ours(x, mask=joined).context, expected, atol=1e-5, rtol=1e-5)


def test_attends_to_a_memory() -> None:
    theirs, ours = _pair()
    x, key, value = torch.randn(2, 4, 12), torch.randn(2, 7, 12), torch.randn(2, 7, 12)
    torch.testing.assert_close(ours(x, key, value).context, theirs(x, key, value)[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(ours(x, key).context, theirs(x, key, key)[0], atol=1e-5, rtol=1e-5)
