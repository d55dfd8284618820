import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lightning_modules.training.optimizers import adamw, cosine_factor, parameter_groups, schedules
from lightning_modules.training.settings import CosineSchedule, OptimizerSettings, PlateauSchedule


def settings(schedule: CosineSchedule | PlateauSchedule) -> OptimizerSettings:
    return OptimizerSettings(learning_rate=0.01, schedule=schedule, weight_decay=0.5, beta1=0.9, beta2=0.98)


COSINE = settings(CosineSchedule(kind="cosine", warmup_epochs=1, min_lr_ratio=0.1))


def plateau(warmup_epochs: float) -> OptimizerSettings:
    return settings(
        PlateauSchedule(kind="plateau", warmup_epochs=warmup_epochs, factor=0.5, patience=1, min_lr_ratio=0.1)
    )


def rates(chosen: OptimizerSettings, losses: list[float], steps_per_epoch: int) -> list[float]:
    """The rate of every step, when each epoch ends with one of these validation losses."""
    optimizer = adamw(nn.Linear(2, 2), chosen)
    steps = len(losses) * steps_per_epoch
    configs = schedules(optimizer, chosen, steps, len(losses), "validation_loss")
    found = []
    for loss in losses:
        for _ in range(steps_per_epoch):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            for config in configs:
                if config["interval"] == "step":
                    config["scheduler"].step()
        for config in configs:
            if config["interval"] == "epoch":
                assert config["monitor"] == "validation_loss"
                config["scheduler"].step(loss)
    return found


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


def test_the_cosine_drives_the_rate() -> None:
    found = rates(COSINE, [1.0] * 5, steps_per_epoch=2)  # one epoch of warm-up: two steps
    assert found[:3] == pytest.approx([0.005, 0.01, 0.01])
    assert found[6] == pytest.approx(0.01 * (0.1 + 0.9 / 2))


def test_the_plateau_cuts_the_rate_when_the_loss_no_longer_falls() -> None:
    losses = [1.0, 0.9, 0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8]
    found = rates(plateau(warmup_epochs=0), losses, steps_per_epoch=1)
    assert found[:4] == pytest.approx([0.01] * 4)  # the second epoch without a better loss is one too many
    assert found[4:7] == pytest.approx([0.005] * 3)
    assert found[-1] == pytest.approx(0.001)  # never below the final share


def test_the_plateau_after_a_warm_up() -> None:
    found = rates(plateau(warmup_epochs=2), [3.0, 2.0, 1.0, 1.0, 1.0, 1.0], steps_per_epoch=2)
    assert found[:4] == sorted(found[:4])
    assert found[0] == pytest.approx(0.01 / 4)
    assert found[4:10] == pytest.approx([0.01] * 6)
    assert found[10:] == pytest.approx([0.005] * 2)


@given(steps=st.integers(1, 200), share=st.floats(0, 0.9), final=st.floats(0, 1))
def test_up_then_down_within_bounds(steps: int, share: float, final: float) -> None:
    warmup = round(steps * share)
    factors = [cosine_factor(step, steps, warmup, final) for step in range(steps + 1)]
    assert all(0 <= factor <= 1 + 1e-9 for factor in factors)
    assert factors[:warmup] == sorted(factors[:warmup])
    assert factors[warmup:] == sorted(factors[warmup:], reverse=True)
    assert max(factors) == pytest.approx(1) or warmup == steps
