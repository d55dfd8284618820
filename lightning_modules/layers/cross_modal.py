"""Attention between two kinds of tokens, in both directions."""

from typing import NamedTuple

from torch import Tensor, nn

from lightning_modules.layers.masks import padding_mask
from lightning_modules.layers.multi_head import MultiHeadAttention


class CrossModalOutput(NamedTuple):
    """Both kinds of tokens, each having looked at the other: shapes unchanged."""

    first: Tensor
    second: Tensor


class CrossModalAttention(nn.Module):
    """``norm(x + attention(x, y))`` and ``norm(y + attention(y, x))``: (B, S, width) and (B, T, width), unchanged.

    Both look at the other as it came in. Source: Lu et al. 2019, ViLBERT, section 2.2, with the way past and the norm
    behind it as in Vaswani et al. 2017.

    Args:
        heads: of each of the two attentions.
        dropout: of attention weights, and of what they add.
    """

    def __init__(self, width: int, heads: int = 8, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.to_second, self.to_first = (MultiHeadAttention(width, heads, dropout=dropout) for _ in range(2))
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, first: Tensor, second: Tensor, first_present: Tensor, second_present: Tensor) -> CrossModalOutput:
        """
        Args:
            first: (B, S, width), S at least 1.
            second: (B, T, width), T at least 1.
            first_present: True where there is a token, (B, S); what stands at the others is not looked at.
            second_present: the same, (B, T). Where a row has none, ``first`` passes as if attention found zeros.
        """
        seen = self.to_second(first, second, mask=padding_mask(second_present)).context
        told = self.to_first(second, first, mask=padding_mask(first_present)).context
        return CrossModalOutput(
            self.first_norm(first + self.dropout(seen)),
            self.second_norm(second + self.dropout(told)),
        )
