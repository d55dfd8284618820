"""The feed-forward block."""

from torch import Tensor, nn

from lightning_modules.layers.config import NormOrder
from lightning_modules.layers.config_types import Activation
from lightning_modules.layers.linear import LinearLayer
from lightning_modules.layers.sublayer import Sublayer


class FeedForwardBlock(nn.Module):
    """``dropout(activation(x W_1 + b_1)) W_2 + b_2`` for each vector alone: (..., width) -> (..., width).

    Source: Vaswani et al. 2017, section 3.3. Norm and residual connection: :class:`Sublayer`.

    Args:
        width: of input and output.
        hidden: width of the hidden layer, usually four times ``width``.
        activation: of the hidden layer.
        dropout: after the hidden layer and after the output.
        norm: layer norm before the block, after the addition, or None.
        residual: add the input to the output.
    """

    def __init__(
        self,
        width: int,
        hidden: int,
        *,
        activation: Activation,
        dropout: float = 0.0,
        norm: NormOrder | None = "first",
        residual: bool = True,
    ) -> None:
        super().__init__()
        self.hidden = LinearLayer(width, hidden, activation=activation, dropout=dropout)
        self.output = LinearLayer(hidden, width)
        self.around = Sublayer(width, norm, dropout, residual=residual)

    def forward(self, x: Tensor) -> Tensor:
        return self.around(x, lambda y: self.output(self.hidden(y)))
