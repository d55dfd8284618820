import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lightning_modules.optimizers import adamw_with_cosine, cosine_factor, parameter_groups
from lightning_modules.settings import OptimizerSettings

SETTINGS = OptimizerSettings(
    learning_rate=0.01, final_share=0.1, warmup_share=0.2, weight_decay=0.5, beta1=0.9, beta2=0.98
)


def test_only_matrices_and_kernels_decay() -> None:
    network = nn.ModuleDict({"a": nn.Linear(3, 4), "b": nn.LayerNorm(4), "c": nn.Conv2d(1, 2, 3)})
    network.register_parameter("scale", nn.Parameter(torch.tensor(1.0)))
    network["c"].bias.requires_grad_(False)
    decaying, others = parameter_groups(network, 0.5)
    assert {id(p) for p in decaying["params"]} == {id(network["a"].weight), id(network["c"].weight)}
    assert decaying["weight_decay"] == 0.5
    assert others["weight_decay"] == 0
    expected = {network["a"].bias, network["b"].weight, network["b"].bias, network.scale}
    assert {id(p) for p in others["params"]} == {id(p) for p in expected}


def test_the_schedule_drives_the_rate() -> None:
    optimizer, schedule = adamw_with_cosine(nn.Linear(2, 2), SETTINGS, steps=10)
    rates = []
    for _ in range(11):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates[:3] == pytest.approx([0.005, 0.01, 0.01])
    assert rates[6] == pytest.approx(0.01 * (0.1 + 0.9 / 2))
    assert rates[10] == pytest.approx(0.001)


@given(steps=st.integers(1, 200), share=st.floats(0, 0.9), final=st.floats(0, 1))
def test_up_then_down_within_bounds(steps: int, share: float, final: float) -> None:
    warmup = round(steps * share)
    factors = [cosine_factor(step, steps, warmup, final) for step in range(steps + 1)]
    assert all(0 <= factor <= 1 + 1e-9 for factor in factors)
    assert factors[:warmup] == sorted(factors[:warmup])
    assert factors[warmup:] == sorted(factors[warmup:], reverse=True)
    assert max(factors) == pytest.approx(1) or warmup == steps
