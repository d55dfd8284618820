"""What stands between two linear layers, without which they would be one."""

import torch
from torch import Tensor, nn

from lightning_modules.layers.config_types import Activation


class QuickGELU(nn.Module):
    """``x * sigmoid(1.702 x)``: GELU's cheaper neighbour, with which OpenAI's CLIP was trained.

    Source: Hendrycks and Gimpel 2016, Gaussian Error Linear Units, section 2.
    """

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


def make_activation(name: Activation) -> nn.Module:
    """The function of that name, element by element, shape unchanged.

    ``relu`` max(x, 0); ``gelu`` x Φ(x), exact; ``quick_gelu`` :class:`QuickGELU`; ``silu`` x sigmoid(x);
    ``tanh``; ``sigmoid`` 1 / (1 + exp(-x)).
    """
    match name:
        case "relu":
            return nn.ReLU()
        case "gelu":
            return nn.GELU()
        case "quick_gelu":
            return QuickGELU()
        case "silu":
            return nn.SiLU()
        case "tanh":
            return nn.Tanh()
        case "sigmoid":
            return nn.Sigmoid()
