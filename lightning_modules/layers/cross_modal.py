"""Attention between two sequences, in both directions."""

from typing import NamedTuple

from torch import Tensor, nn

from lightning_modules.layers.masks import padding_mask
from lightning_modules.layers.multi_head import MultiHeadAttention


class CrossModalOutput(NamedTuple):
    """Both sequences after attention to each other, (B, S, width) and (B, T, width)."""

    first: Tensor
    second: Tensor


class CrossModalAttention(nn.Module):
    """``norm(x + attention(x, y))`` and ``norm(y + attention(y, x))``: (B, S, width) and (B, T, width), unchanged.

    Both attend to the unchanged input of the other. Source: Lu et al. 2019, ViLBERT, section 2.2, with residual
    connection and post-norm as in Vaswani et al. 2017.

    Args:
        width: of both sequences' states.
        heads: number of heads of each attention.
        dropout: of attention weights and outputs.
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
            first_present: True for tokens, False for padding, (B, S); padding is ignored.
            second_present: the same for ``second``, (B, T). In a row without tokens the attention output is zero.
        """
        from_second = self.to_second(first, second, mask=padding_mask(second_present)).context
        from_first = self.to_first(second, first, mask=padding_mask(first_present)).context
        return CrossModalOutput(
            self.first_norm(first + self.dropout(from_second)),
            self.second_norm(second + self.dropout(from_first)),
        )
