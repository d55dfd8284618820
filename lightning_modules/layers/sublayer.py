"""Norm, dropout and residual connection around a part of a transformer layer."""

from collections.abc import Callable

from torch import Tensor, nn

from lightning_modules.layers.config import NormOrder


class Sublayer(nn.Module):
    """``x + dropout(part(norm(x)))``, or ``norm(x + dropout(part(x)))``: shape unchanged.

    Sources: He et al. 2016 for the residual connection, Ba et al. 2016 for the norm, Xiong et al. 2020, On Layer
    Normalization in the Transformer Architecture, for pre-norm.

    Args:
        width: of input and output.
        norm: ``first`` (pre-norm), ``last`` (post-norm) or None.
        dropout: of the part's output.
        residual: add the input to the output.
    """

    def __init__(self, width: int, norm: NormOrder | None, dropout: float = 0.0, *, residual: bool = True) -> None:
        super().__init__()
        self.norm = None if norm is None else nn.LayerNorm(width)
        self.norm_first = norm == "first"
        self.dropout = nn.Dropout(dropout)
        self.residual = residual

    def forward(self, x: Tensor, part: Callable[[Tensor], Tensor]) -> Tensor:
        normed = self.norm(x) if self.norm is not None and self.norm_first else x
        y = self.dropout(part(normed))
        if self.residual:
            y = x + y
        return y if self.norm is None or self.norm_first else self.norm(y)
