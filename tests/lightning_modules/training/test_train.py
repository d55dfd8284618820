"""Training as a whole, at a size of seconds: reproducible, stopped in time, the best epoch kept."""

import hashlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import LightningDataModule
from pydantic.dataclasses import dataclass
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lightning_modules.training.network import Network
from lightning_modules.training.settings import CosineSchedule, OptimizerSettings, PlateauSchedule, TrainerSettings
from lightning_modules.training.train import Trained, train
from lightning_modules.training.training_module import TrainingModule


@dataclass(frozen=True)
class LineConfig:
    inputs: int
    hidden: int


class ProgressLine(Network):
    Config = LineConfig

    def __init__(self, config: LineConfig) -> None:
        super().__init__(config)
        self.layers = nn.Sequential(
            nn.Linear(config.inputs, config.hidden), nn.ReLU(), nn.Dropout(0.1), nn.Linear(config.hidden, 1)
        )


class LineModule(TrainingModule):
    network: ProgressLine

    def step(self, batch: Any) -> dict[str, Tensor]:
        inputs, target = batch
        return {"loss": nn.functional.mse_loss(self.network.layers(inputs).squeeze(1), target)}


class Noise(LightningDataModule):
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


COSINE = CosineSchedule(kind="cosine", warmup_epochs=0.6, min_lr_ratio=0.1)


def _train(
    opposite: bool = False,
    seed: int = 3,
    lines: list[str] | None = None,
    schedule: CosineSchedule | PlateauSchedule = COSINE,
    **changes: Any,
) -> Trained:
    trainer = {
        "max_epochs": 6,
        "accelerator": "cpu",
        "devices": 1,
        "num_nodes": 1,
        "strategy": "auto",
        "precision": "32-true",
        "accumulate_grad_batches": 1,
        "gradient_clip_val": 1.0,
        "patience": 2,
    }
    optimizer = OptimizerSettings(
        learning_rate=0.01,
        schedule=schedule,
        weight_decay=0.01,
        beta1=0.9,
        beta2=0.99,
    )
    told = [] if lines is None else lines
    return train(
        lambda: LineModule(ProgressLine(LineConfig(inputs=6, hidden=64)), optimizer),
        Noise(opposite),
        TrainerSettings.model_validate(trainer | changes),
        seed=seed,
        threads=2,
        progress=lambda message, done, total: told.append(f"{done}/{total} {message}"),
    )


def _weights_hash(folder: str) -> str:
    _train().network.save_pretrained(Path(folder))
    return hashlib.sha256((Path(folder) / "model.safetensors").read_bytes()).hexdigest()


@pytest.mark.slow
def test_two_processes_at_once_give_the_same_bytes(tmp_path: Path) -> None:
    folders = [str(tmp_path / str(number)) for number in range(2)]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        first, second = pool.map(_weights_hash, folders)
    assert first == second
    other = _train(seed=4)
    other.network.save_pretrained(tmp_path / "other")
    assert hashlib.sha256((tmp_path / "other/model.safetensors").read_bytes()).hexdigest() != first


def test_history_and_progress_have_a_line_for_each_epoch() -> None:
    lines: list[str] = []
    trained = _train(lines=lines)
    assert [row["epoch"] for row in trained.history] == [1, 2, 3, 4, 5, 6]
    assert {"train_loss", "validation_loss", "learning_rate"} <= trained.history[0].keys()
    assert trained.history[-1]["train_loss"] < trained.history[0]["train_loss"]
    assert [line.split()[0] for line in lines] == [f"{epoch}/6" for epoch in range(1, 7)]
    assert trained.is_first_process


def test_a_plateau_of_the_validation_loss_cuts_the_rate() -> None:
    schedule = PlateauSchedule(kind="plateau", warmup_epochs=0, factor=0.5, patience=0, min_lr_ratio=0.2)
    trained = _train(opposite=True, schedule=schedule, max_epochs=5, patience=10)
    rates = [row["learning_rate"] for row in trained.history]
    assert rates[0] == 0.01
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(0.002)


def test_the_best_epoch_wins_and_worse_ones_end_the_training() -> None:
    trained = _train(opposite=True, max_epochs=20)
    losses = [row["validation_loss"] for row in trained.history]
    assert trained.best_epoch == losses.index(min(losses)) + 1
    assert len(losses) == trained.best_epoch + 2
    inputs, target = next(iter(Noise(opposite=True).val_dataloader()))
    with torch.inference_mode():
        loss = nn.functional.mse_loss(trained.network.layers(inputs).squeeze(1), target).item()
    assert loss == pytest.approx(min(losses), rel=1e-5)


def test_accumulating_four_batches_equals_one_large_batch() -> None:
    class Quarters(Noise):
        def _loader(self, sign: int, count: int) -> DataLoader:
            return DataLoader(super()._loader(sign, count).dataset, batch_size=count if self.whole else count // 4)

        whole = False

    class Whole(Quarters):
        whole = True

    results = []
    for data, batches in ((Quarters(), 4), (Whole(), 1)):
        torch.manual_seed(0)
        network = ProgressLine(LineConfig(inputs=6, hidden=64))
        network.layers[2] = nn.Identity()  # dropout would draw differently
        optimizer = OptimizerSettings(
            learning_rate=0.01,
            schedule=CosineSchedule(kind="cosine", warmup_epochs=0, min_lr_ratio=0.1),
            weight_decay=0.01,
            beta1=0.9,
            beta2=0.99,
        )
        settings = TrainerSettings(
            max_epochs=3,
            accelerator="cpu",
            devices=1,
            num_nodes=1,
            strategy="auto",
            precision="32-true",
            accumulate_grad_batches=batches,
            gradient_clip_val=100.0,
            patience=9,
        )
        trained = train(
            lambda network=network, optimizer=optimizer: LineModule(network, optimizer),  # type: ignore[misc]
            data,
            settings,
            seed=0,
            threads=1,
            progress=lambda message, done, total: None,
        )
        results.append(trained.network.state_dict())
    for name, value in results[0].items():
        torch.testing.assert_close(value, results[1][name], atol=1e-5, rtol=1e-4)
