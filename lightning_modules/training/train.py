"""The one function that trains every model."""

import logging
import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from lightning import Callback, LightningDataModule, LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import EarlyStopping
from torch import Tensor

from lightning_modules.training.settings import TrainerSettings
from lightning_modules.training.training_module import MONITOR, TrainingModule

HistoryRow = dict[str, float]
"""``epoch``, ``train_loss``, ``validation_loss``, ``learning_rate`` and what the callbacks logged."""


class ReportProgress(Protocol):
    """Takes one line about how far the training is; ``Stage.progress`` is one."""

    def __call__(self, message: str, done: int, total: int) -> None: ...


@dataclass(frozen=True)
class Trained:
    """What training leaves: the best network, on the CPU, and how it got there."""

    network: Any
    history: list[HistoryRow]
    best_epoch: int
    is_first_process: bool
    """Only this one writes files; the others of a distributed run end."""


def train(
    build: Callable[[], TrainingModule],
    data: LightningDataModule,
    settings: TrainerSettings,
    *,
    seed: int,
    threads: int,
    progress: ReportProgress,
    callbacks: Sequence[Callback] = (),
) -> Trained:
    """Train a model until its last epoch or until validation no longer improves; the best epoch's weights win.

    Args:
        build: makes the model; called after seeding, so that its first weights are reproducible.
        data: train and validation batches.
        settings: what Lightning's Trainer is told.
        seed: of first weights and dropout.
        threads: of this process; a different count adds up in a different order.
        progress: gets a line for each epoch.
        callbacks: what else to do at Lightning's hooks, such as logging more columns of the history.
    """
    _quiet()
    torch.set_num_threads(threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    seed_everything(seed, workers=True, verbose=False)
    best, history = KeepBest(), History(progress)
    trainer = Trainer(
        **settings.model_dump(exclude={"patience"}),
        callbacks=[*callbacks, best, EarlyStopping(MONITOR, patience=settings.patience), history],
        deterministic=True,
        reload_dataloaders_every_n_epochs=1,  # each epoch draws its own words and order
        use_distributed_sampler=False,  # the batches are shared out already
        sync_batchnorm=torch.cuda.is_available() and settings.accelerator != "cpu",
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(build(), data)
    network = build().network  # a fresh one: strategies that shard leave the trained one in pieces
    if best.weights:  # whole on the first process only, where a strategy shards
        network.load_state_dict({**network.state_dict(), **best.weights})
    return Trained(network.eval(), history.rows, best.epoch, trainer.is_global_zero)


class KeepBest(Callback):
    """Holds the weights of the epoch with the lowest validation loss, as far as training changes them."""

    def __init__(self) -> None:
        self.loss = float("inf")
        self.epoch = 0
        self.weights: dict[str, Tensor] = {}

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        loss = float(trainer.callback_metrics[MONITOR])
        if loss < self.loss or not self.weights:
            self.loss, self.epoch = loss, trainer.current_epoch + 1
            state = trainer.strategy.lightning_module_state_dict()  # whole on the first process also when sharded
            named = {name.removeprefix("network."): value for name, value in state.items()}
            assert isinstance(pl_module, TrainingModule)
            learned = pl_module.network.is_learned
            self.weights = {name: value.cpu().clone() for name, value in named.items() if learned(name)}


class History(Callback):
    """One row and one line of progress for each epoch."""

    def __init__(self, progress: ReportProgress) -> None:
        self.progress = progress
        self.rows: list[HistoryRow] = []
        self._begun = 0.0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._begun = time.monotonic()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        metrics = {name: float(value) for name, value in sorted(trainer.callback_metrics.items())}
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        epoch = trainer.current_epoch + 1
        self.rows.append({"epoch": epoch, "learning_rate": rate, **metrics})
        if trainer.is_global_zero:
            told = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in metrics.items())
            seconds = time.monotonic() - self._begun
            self.progress(f"{told} ({seconds:.1f} s)", epoch, trainer.max_epochs or epoch)


def _quiet() -> None:
    """Lightning's hints about hardware, loaders and loggers tell nothing that the settings do not."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning", category=FutureWarning)
    warnings.filterwarnings("ignore", module="lightning", message=".*(num_workers|does not have many workers).*")
