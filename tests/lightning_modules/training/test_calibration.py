"""Calibration: a line over logits, against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from lightning_modules.training.calibration import fit_calibration


def sample(scale: float, shift: float) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    logits = 3 * torch.randn(500, generator=generator)
    noise = torch.randn(500, generator=generator)
    return logits, (scale * logits + shift + noise).sigmoid()


@pytest.mark.parametrize(("scale", "shift"), [(0.4, -2.0), (3.0, 1.0)])
def test_it_is_logistic_regression_with_targets_as_weights(scale: float, shift: float) -> None:
    logits, targets = sample(scale, shift)
    oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    twice = torch.cat([logits, logits])[:, None].numpy()
    labels = np.repeat([1, 0], len(logits))
    oracle.fit(twice, labels, sample_weight=torch.cat([targets, 1 - targets]).numpy())
    assert fit_calibration(logits, targets) == pytest.approx((oracle.coef_.item(), oracle.intercept_.item()), abs=1e-3)


def test_an_order_is_never_turned_round() -> None:
    logits, targets = sample(-1.0, 0.5)
    assert fit_calibration(logits, targets) == (1.0, 0.0)
