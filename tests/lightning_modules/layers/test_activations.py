from typing import get_args

import pytest
import torch
from transformers.activations import ACT2FN

from lightning_modules.layers.activations import make_activation
from lightning_modules.layers.config_types import Activation


@pytest.mark.parametrize("name", get_args(Activation))
def test_each_equals_transformers(name: Activation) -> None:
    x = torch.linspace(-6, 6, 101)
    torch.testing.assert_close(make_activation(name)(x), ACT2FN[name](x), atol=1e-6, rtol=0)
