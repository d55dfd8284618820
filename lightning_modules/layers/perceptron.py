"""The multi-layer perceptron."""

from collections.abc import Sequence

from torch import Tensor, nn

from lightning_modules.layers.config_types import Activation, Initialization, LayerNormalization
from lightning_modules.layers.linear import LinearLayer


class MultiLayerPerceptron(nn.Module):
    """Hidden layers followed by a linear output layer: (..., in_features) -> (..., out_features).

    Source: Rumelhart, Hinton and Williams 1986, Learning representations by back-propagating errors.

    Args:
        hidden: width of each hidden layer; empty for a linear map.
        activation: of the hidden layers, as is ``norm``; see :class:`LinearLayer`.
        dropout: after every hidden layer; one probability for all layers or one per layer.
        residual: add a hidden layer's input to its output (He et al. 2016) if both have the same width.

    Raises:
        ValueError: the numbers of dropouts and hidden layers differ.
    """

    def __init__(
        self,
        in_features: int,
        hidden: Sequence[int],
        out_features: int,
        *,
        activation: Activation,
        norm: LayerNormalization = "none",
        dropout: float | Sequence[float] = 0.0,
        initialization: Initialization = "xavier_uniform",
        residual: bool = False,
    ) -> None:
        super().__init__()
        drops = list(dropout) if isinstance(dropout, Sequence) else [dropout] * len(hidden)
        if len(drops) != len(hidden):
            raise ValueError(f"{len(drops)} dropouts for {len(hidden)} hidden layers")
        widths = [in_features, *hidden]
        self.hidden = nn.ModuleList(
            LinearLayer(before, after, initialization=initialization, activation=activation, norm=norm, dropout=chance)
            for before, after, chance in zip(widths, hidden, drops, strict=False)
        )
        self.output = LinearLayer(widths[-1], out_features, initialization=initialization)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.hidden:
            y = layer(x)
            x = x + y if self.residual and x.shape == y.shape else y
        return self.output(x)
