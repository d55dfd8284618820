"""Attention with linear biases: the further away a key, the lower its score."""

import torch
from torch import Tensor, nn

from lightning_modules.layers.masks import combine_masks
from lightning_modules.layers.multi_head import MultiHeadAttention
from lightning_modules.layers.scaled_dot_product import AttentionOutput


def alibi_slopes(heads: int) -> list[float]:
    """Slopes of the heads: ``2^(-8/h), 2^(-16/h), …, 2^-8`` for h heads, where h is a power of two.

    For other numbers of heads: the slopes of the next lower power of two, then every second slope of the next higher
    one, as in the authors' code. Source: Press et al. 2022, Train Short, Test Long, section 3.
    """
    lower = 1 << (heads.bit_length() - 1)
    slopes = [2 ** (-8 * (head + 1) / lower) for head in range(lower)]
    between = [2 ** (-8 * (head + 1) / (2 * lower)) for head in range(0, 2 * lower, 2)]
    return slopes + between[: heads - lower]


class ALiBi(nn.Module):
    """Position bias on the attention scores, ``-slope * distance``: no parameters, any text length.

    Source: Press et al. 2022, Train Short, Test Long: Attention with Linear Biases Enables Input Length Extrapolation.
    The paper's attention is causal; without a causal mask the distance counts in both directions.
    """

    slopes: Tensor

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.register_buffer("slopes", torch.tensor(alibi_slopes(heads)), persistent=False)

    def forward(self, queries: int, keys: int) -> Tensor:
        """Bias (heads, queries, keys) of the last ``queries`` of ``keys`` tokens."""
        index = torch.arange(keys, device=self.slopes.device)
        distance = (index[keys - queries :, None] - index).abs()  # (queries, keys)
        return -self.slopes[:, None, None] * distance


class ALiBiAttention(MultiHeadAttention):
    """Multi-head self-attention whose only position information is :class:`ALiBi`."""

    def __init__(self, width: int, heads: int = 8, *, bias: bool = True, dropout: float = 0.0) -> None:
        super().__init__(width, heads, bias=bias, dropout=dropout)
        self.alibi = ALiBi(heads)

    def forward(  # type: ignore[override]
        self, states: Tensor, *, mask: Tensor | None = None, causal: bool = False, return_weights: bool = False
    ) -> AttentionOutput:
        """states (B, T, width) -> context (B, T, width), weights (B, heads, T, T) or None."""
        bias = self.alibi(states.shape[1], states.shape[1])
        return super().forward(states, mask=combine_masks(mask, bias), causal=causal, return_weights=return_weights)
