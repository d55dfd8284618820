"""Scaled dot-product attention."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from lightning_modules.layers.masks import causal_mask, combine_masks


class AttentionOutput(NamedTuple):
    """Output of attention: context vectors, and attention weights if requested."""

    context: Tensor
    weights: Tensor | None


class ScaledDotProductAttention(nn.Module):
    """``softmax(Q Kᵀ / sqrt(D)) V``: a weighted mean of the values for each query.

    Dot products of random D-dimensional vectors have variance D; dividing by sqrt(D) keeps the softmax from saturating.
    Source: Vaswani et al. 2017, Attention Is All You Need, section 3.2.1.

    Args:
        dropout: of attention weights.
    """

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None = None,
        *,
        causal: bool = False,
        return_weights: bool = False,
    ) -> AttentionOutput:
        """query (..., Q, D), key (..., K, D), value (..., K, E) -> context (..., Q, E), weights (..., Q, K) or None.

        Args:
            mask: True where the query may attend to the key, or a float bias; broadcasts to (..., Q, K).
            causal: the queries are the last Q of the K positions and do not attend to later positions.
            return_weights: slower, because the fused kernel does not return weights.
        """
        dropout = self.dropout if self.training else 0.0
        queries, keys = query.shape[-2], key.shape[-2]
        causal = causal and queries > 1  # no position follows the last one
        if causal and (return_weights or mask is not None or queries != keys):
            # PyTorch's flag is used only without another mask and with as many keys as queries.
            mask, causal = combine_masks(mask, causal_mask(queries, keys, query.device)), False
        if return_weights:
            scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5  # (..., Q, K)
            weights = functional.dropout(masked_softmax(scores, mask), dropout)
            return AttentionOutput(weights @ value, weights)
        context = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, dropout_p=dropout, is_causal=causal
        )
        return AttentionOutput(context, None)


def masked_softmax(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax over the last axis of (..., Q, K) with a boolean mask or a float bias; zeros for fully masked rows."""
    if mask is None:
        return scores.softmax(dim=-1)
    scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
    empty = (scores == -torch.inf).all(dim=-1, keepdim=True)
    # Also filled before the softmax, because its gradient would be NaN.
    return scores.masked_fill(empty, 0.0).softmax(dim=-1).masked_fill(empty, 0.0)
