"""What stands around every part of a transformer layer: norm, dropout and the way past."""

from collections.abc import Callable

from torch import Tensor, nn

from lightning_modules.layers.config import NormOrder


class Sublayer(nn.Module):
    """``x + dropout(part(norm(x)))``, or ``norm(x + dropout(part(x)))``: shape unchanged.

    Sources: He et al. 2016 for the way past, Ba et al. 2016 for the norm, and for why it should come first Xiong et al.
    2020, On Layer Normalization in the Transformer Architecture.

    Args:
        norm: in front of the part, behind the addition, or None.
        dropout: chance of each of the part's outputs to be zeroed in training.
        residual: add the input.
    """

    def __init__(self, width: int, norm: NormOrder | None, dropout: float = 0.0, *, residual: bool = True) -> None:
        super().__init__()
        self.norm = None if norm is None else nn.LayerNorm(width)
        self.norm_first = norm == "first"
        self.dropout = nn.Dropout(dropout)
        self.residual = residual

    def forward(self, x: Tensor, part: Callable[[Tensor], Tensor]) -> Tensor:
        y = self.dropout(part(self.norm(x) if self.norm is not None and self.norm_first else x))
        y = x + y if self.residual else y
        return y if self.norm is None or self.norm_first else self.norm(y)
