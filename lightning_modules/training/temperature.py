"""The learned temperature of contrastive losses.

Source: Radford et al. 2021, Learning Transferable Visual Models From Natural Language Supervision, section 2.5.
"""

import math

import torch
from torch import Tensor, nn

INITIAL_TEMPERATURE = 0.07
MAX_LOG_SCALE = math.log(100)
"""Past a scale of 100 training is unstable."""


def make_log_scale() -> nn.Parameter:
    """What is learned: the logarithm of 1 / temperature, scalar."""
    return nn.Parameter(torch.tensor(math.log(1 / INITIAL_TEMPERATURE)))


def clamped_scale(log_scale: nn.Parameter) -> Tensor:
    """1 / temperature, never above 100, by which cosines are multiplied, scalar; the parameter itself is cut.

    So it can come back from the bound, where a cut copy of it would have no gradient.
    """
    with torch.no_grad():
        log_scale.clamp_(max=MAX_LOG_SCALE)
    return log_scale.exp()
