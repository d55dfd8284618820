"""A linear layer with optional norm, activation and dropout."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import init

from lightning_modules.layers import activations
from lightning_modules.layers.config_types import Activation, Initialization, LayerNormalization

INITIALIZERS: dict[Initialization, Callable[[Tensor], Tensor]] = {
    "kaiming_uniform": init.kaiming_uniform_,
    "kaiming_normal": init.kaiming_normal_,
    "xavier_uniform": init.xavier_uniform_,
    "xavier_normal": init.xavier_normal_,
}


class LinearLayer(nn.Linear):
    """``dropout(activation(norm(x Wᵀ + b)))``: (..., in_features) -> (..., out_features).

    Args:
        initialization: of ``W``; ``b`` is initialized with 0. Xavier (Glorot and Bengio 2010) preserves the variance
            for activations that are linear near 0, such as tanh; Kaiming (He et al. 2015) for ReLU.
        activation: name of the activation; None for no activation.
        norm: ``layer`` normalizes each vector (Ba et al. 2016), ``batch`` each feature over all vectors of the batch
            (Ioffe and Szegedy 2015) and all leading dimensions.
        dropout: probability of zeroing an output in training.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        initialization: Initialization = "xavier_uniform",
        activation: Activation | None = None,
        norm: LayerNormalization = "none",
        dropout: float = 0.0,
    ) -> None:
        self.initialization = initialization
        super().__init__(in_features, out_features, bias)
        self.norm = _norm(norm, out_features)
        self.activation = None if activation is None else activations.make_activation(activation)
        self.dropout = nn.Dropout(dropout) if dropout else None

    def reset_parameters(self) -> None:
        INITIALIZERS[self.initialization](self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = super().forward(x)
        if self.norm is not None:
            # Batch norm expects features in the second dimension, so all other dimensions are merged into the first.
            x = self.norm(x.flatten(0, -2)).view(x.shape) if isinstance(self.norm, nn.BatchNorm1d) else self.norm(x)
        if self.activation is not None:
            x = self.activation(x)
        return x if self.dropout is None else self.dropout(x)


def _norm(name: LayerNormalization, features: int) -> nn.Module | None:
    match name:
        case "none":
            return None
        case "layer":
            return nn.LayerNorm(features)
        case "batch":
            return nn.BatchNorm1d(features)
