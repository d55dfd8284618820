"""A scale and a shift that make logits say how much gain is to be expected."""

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import LBFGS


def fit_calibration(logits: Tensor, targets: Tensor) -> tuple[float, float]:
    """The scale and shift after which the sigmoid of the logits fits the targets best, by cross-entropy.

    Source: Platt, "Probabilistic Outputs for Support Vector Machines", 1999, here with targets between 0 and 1.

    Args:
        logits: (P,).
        targets: in [0, 1], (P,); not all the same.

    Returns:
        1 and 0 where the best scale would not be positive: the logits know nothing, and their order must stay.
    """
    logits, targets = logits.double(), targets.double()
    found = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)  # scale, shift
    search = LBFGS([found], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        search.zero_grad()
        value = functional.binary_cross_entropy_with_logits(found[0] * logits + found[1], targets)
        value.backward()
        return value

    search.step(loss)
    scale, shift = found.tolist()
    return (scale, shift) if scale > 0 else (1.0, 0.0)
