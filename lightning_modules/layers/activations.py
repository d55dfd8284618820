"""Activation functions by name."""

import torch
from torch import Tensor, nn

from lightning_modules.layers.config_types import Activation


class QuickGELU(nn.Module):
    """``x * sigmoid(1.702 x)``: a cheap approximation of GELU, used by OpenAI's CLIP.

    Source: Hendrycks and Gimpel 2016, Gaussian Error Linear Units, section 2.
    """

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


def make_activation(name: Activation) -> nn.Module:
    """Build the element-wise activation of a name.

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
