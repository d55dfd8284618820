"""Two phases: what is frozen stays as it is to the last bit, then learns; the rate and the patience follow."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning import Callback, LightningDataModule, LightningModule, Trainer
from lightning.pytorch.strategies import DDPStrategy, SingleDeviceStrategy
from pydantic.dataclasses import dataclass
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lightning_modules.training.network import Network
from lightning_modules.training.phases import PhaseError, TwoPhases
from lightning_modules.training.settings import CosineSchedule, OptimizerSettings, PlateauSchedule, TrainerSettings
from lightning_modules.training.train import Trained, train
from lightning_modules.training.training_module import TrainingModule

State = dict[str, Tensor]
COSINE = CosineSchedule(kind="cosine", warmup_epochs=1, min_lr_ratio=0.1)
STEPS = 4
"""Optimiser steps of an epoch."""


@dataclass(frozen=True)
class TwoPartsConfig:
    inputs: int


class TwoParts(Network):
    """A backbone with a batch norm, and a head."""

    Config = TwoPartsConfig

    def __init__(self, config: TwoPartsConfig) -> None:
        super().__init__(config)
        self.backbone = nn.Sequential(nn.Linear(config.inputs, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.1))
        self.head = nn.Linear(8, 1)


class TwoPartsModule(TrainingModule):
    network: TwoParts

    def step(self, batch: Any) -> dict[str, Tensor]:
        inputs, target = batch
        return {"loss": nn.functional.mse_loss(self.network.head(self.network.backbone(inputs)).squeeze(1), target)}


class Sums(LightningDataModule):
    """Targets that are a sum of the inputs, or, for validation, the opposite of it: learning makes that worse."""

    def __init__(self, opposite: bool = False) -> None:
        super().__init__()
        self.sign = -1 if opposite else 1

    def train_dataloader(self) -> DataLoader:
        return self._loader(1, 64)

    def val_dataloader(self) -> DataLoader:
        return self._loader(self.sign, 16)

    def _loader(self, sign: int, count: int) -> DataLoader:
        inputs = torch.randn(count, 6, generator=torch.Generator().manual_seed(count))
        return DataLoader(TensorDataset(inputs, sign * inputs.sum(dim=1)), batch_size=16)


class Watch(Callback):
    """Copies the network before training and after every epoch, and every step's rate."""

    def __init__(self) -> None:
        self.states: list[State] = []
        self.rates: list[float] = []
        self.optimised: list[int] = []

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._copy(pl_module)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._copy(pl_module)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        rates = {group["lr"] for group in trainer.optimizers[0].param_groups}
        assert len(rates) == 1
        self.rates += rates

    def _copy(self, pl_module: LightningModule) -> None:
        network = pl_module.network
        assert isinstance(network, TwoParts)
        self.states.append({name: value.clone() for name, value in network.state_dict().items()})


def _backbone(module: LightningModule) -> list[nn.Module]:
    network = module.network
    assert isinstance(network, TwoParts)
    return [network.backbone]


def _train(
    watch: Watch,
    frozen_epochs: int,
    rate_change: float = 0.1,
    opposite: bool = False,
    schedule: CosineSchedule | PlateauSchedule = COSINE,
    **changes: Any,
) -> Trained:
    trainer = {
        "max_epochs": 5,
        "accelerator": "cpu",
        "devices": 1,
        "num_nodes": 1,
        "strategy": "auto",
        "precision": "32-true",
        "accumulate_grad_batches": 1,
        "gradient_clip_val": 1.0,
        "patience": 2,
    }
    optimizer = OptimizerSettings(learning_rate=0.01, schedule=schedule, weight_decay=0.1, beta1=0.9, beta2=0.99)
    return train(
        lambda: TwoPartsModule(TwoParts(TwoPartsConfig(inputs=6)), optimizer),
        Sums(opposite),
        TrainerSettings.model_validate(trainer | changes),
        seed=3,
        threads=1,
        progress=lambda message, done, total: None,
        callbacks=[TwoPhases(_backbone, frozen_epochs, rate_change), watch],
    )


def _same(one: State, other: State) -> dict[str, bool]:
    return {name: torch.equal(value, other[name]) for name, value in one.items()}


def test_phase_1_freezes_parts_and_phase_2_trains_all() -> None:
    watch = Watch()
    trained = _train(watch, frozen_epochs=2)
    first = _same(watch.states[0], watch.states[2])
    assert {name for name, same in first.items() if same} == {name for name in first if name.startswith("backbone")}
    second = _same(watch.states[2], watch.states[3])
    assert not any(second.values()), second
    assert [row["phase"] for row in trained.history] == [1, 1, 2, 2, 2]


def test_without_phase_1_all_parts_train_at_the_second_rate() -> None:
    watch = Watch()
    trained = _train(watch, frozen_epochs=0, rate_change=0.5)
    assert not any(_same(watch.states[0], watch.states[1]).values())
    assert {row["phase"] for row in trained.history} == {2}
    assert max(watch.rates) == pytest.approx(0.005)


def test_the_rate_is_the_phases_times_the_schedules_factor() -> None:
    plain, phased = Watch(), Watch()
    _train(plain, frozen_epochs=0, rate_change=1, patience=9)
    _train(phased, frozen_epochs=2, rate_change=0.1, patience=9)
    expected = [rate * (1 if step < 2 * STEPS else 0.1) for step, rate in enumerate(plain.rates)]
    assert phased.rates == pytest.approx(expected)
    assert len(expected) == 5 * STEPS


def test_plateau_in_phase_2_stops_at_its_own_minimum_rate() -> None:
    watch = Watch()
    plateau = PlateauSchedule(kind="plateau", warmup_epochs=0, factor=0.1, patience=0, min_lr_ratio=0.01)
    _train(watch, 2, 0.1, opposite=True, schedule=plateau, max_epochs=9, patience=20)
    by_epoch = watch.rates[::STEPS]
    assert by_epoch[0] == pytest.approx(0.01)
    assert by_epoch[2] <= 0.001 * (1 + 1e-6)
    assert by_epoch[-1] == pytest.approx(0.01 * 0.1 * 0.01)


def test_early_stopping_restarts_patience_in_phase_2() -> None:
    trained = _train(Watch(), frozen_epochs=6, opposite=True, max_epochs=20)
    losses = [row["validation_loss"] for row in trained.history]
    assert losses.index(min(losses)) + 2 < 6  # it would have stopped in phase 1
    assert [row["phase"] for row in trained.history] == [1] * 6 + [2] * 2


def test_several_processes_must_look_for_missing_gradients() -> None:
    def start(strategy: object, world_size: int, frozen_epochs: int) -> None:
        trainer: Any = SimpleNamespace(strategy=strategy, world_size=world_size, fit_loop=SimpleNamespace(min_epochs=0))
        module: Any = SimpleNamespace(network=TwoParts(TwoPartsConfig(inputs=6)))
        TwoPhases(_backbone, frozen_epochs, 0.1).on_fit_start(trainer, module)

    with pytest.raises(PhaseError, match="such as ddp_find_unused_parameters_true"):
        start(DDPStrategy(), 2, 1)
    with pytest.raises(PhaseError):
        start(DDPStrategy(find_unused_parameters=False), 2, 1)
    start(DDPStrategy(find_unused_parameters=True), 2, 1)
    start(DDPStrategy(), 2, 0)
    start(SingleDeviceStrategy(), 1, 1)


def _two_processes(folder: Path) -> None:
    """What each of two processes does; Lightning starts the second one."""
    watch = Watch()
    _train(watch, frozen_epochs=2, devices=2, strategy="ddp_find_unused_parameters_true", patience=9, max_epochs=4)
    torch.save(watch.states, folder / f"{os.environ['LOCAL_RANK']}.pt")


@pytest.mark.slow
def test_two_processes_freeze_and_then_learn_alike(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, __file__, str(tmp_path)], env=environment, check=True, timeout=300)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert all(same for name, same in _same(first[0], first[2]).items() if name.startswith("backbone"))
    assert not any(_same(first[2], first[3]).values())
    learned = [name for name in first[-1] if not name.startswith("backbone.1.")]  # statistics are each process's own
    assert all(torch.equal(first[-1][name], second[-1][name]) for name in learned)


if __name__ == "__main__":
    _two_processes(Path(sys.argv[1]))
