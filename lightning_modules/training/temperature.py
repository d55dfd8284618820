"""The trained temperature of contrastive losses.

Source: Radford et al. 2021, Learning Transferable Visual Models From Natural Language Supervision, section 2.5.
"""

import math

import torch
from torch import Tensor, nn

INITIAL_TEMPERATURE = 0.07
MAX_LOG_SCALE = math.log(100)
"""Training is unstable with scales above 100."""


def make_log_scale() -> nn.Parameter:
    """Make the trained parameter: the logarithm of 1 / temperature, scalar."""
    return nn.Parameter(torch.tensor(math.log(1 / INITIAL_TEMPERATURE)))


def clamped_scale(log_scale: nn.Parameter) -> Tensor:
    """1 / temperature, at most 100, scalar.

    The parameter itself is clamped in place: a clamped copy would have no gradient at the bound.
    """
    with torch.no_grad():
        log_scale.clamp_(max=MAX_LOG_SCALE)
    return log_scale.exp()
