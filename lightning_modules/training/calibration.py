"""Platt scaling of logits."""

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import LBFGS


def fit_calibration(logits: Tensor, targets: Tensor) -> tuple[float, float]:
    """Fit ``sigmoid(scale * logit + shift)`` to the targets by cross-entropy.

    Source: Platt 1999, Probabilistic Outputs for Support Vector Machines; here with targets between 0 and 1.

    Args:
        logits: (P,).
        targets: in [0, 1], (P,), not all equal.

    Returns:
        Scale and shift; 1 and 0 if the best scale is not positive, so that the order of the logits is preserved.
    """
    logits, targets = logits.double(), targets.double()
    parameters = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)  # scale, shift
    optimizer = LBFGS([parameters], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = functional.binary_cross_entropy_with_logits(parameters[0] * logits + parameters[1], targets)
        value.backward()
        return value

    optimizer.step(loss)
    scale, shift = parameters.tolist()
    return (scale, shift) if scale > 0 else (1.0, 0.0)
