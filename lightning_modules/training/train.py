"""Training of every model with one function."""

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
"""``epoch``, ``train_loss``, ``validation_loss``, ``learning_rate`` and the metrics that callbacks logged."""


class ReportProgress(Protocol):
    """Takes a progress message with the number of finished and of all epochs, as ``Stage.progress`` does."""

    def __call__(self, message: str, done: int, total: int) -> None: ...


@dataclass(frozen=True)
class Trained:
    """Result of a training: the network of the best epoch, on the CPU, and the history."""

    network: Any
    history: list[HistoryRow]
    best_epoch: int
    """Number of the epoch with the lowest validation loss, from 1."""
    is_first_process: bool
    """True for the process of a distributed run that writes the files."""


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
    """Train with early stopping on the validation loss and return the weights of the best epoch.

    Args:
        build: builds the model; called after seeding, so that initial weights are reproducible.
        data: train and validation batches.
        settings: arguments of Lightning's Trainer.
        seed: of initial weights and dropout.
        threads: CPU threads of this process; another number changes the order of summation and so the result.
        progress: gets one line per epoch.
        callbacks: further Lightning callbacks, such as those that log columns of the history.
    """
    _silence_lightning()
    torch.set_num_threads(threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    seed_everything(seed, workers=True, verbose=False)
    best, history = BestWeights(), History(progress)
    trainer = Trainer(
        **settings.model_dump(exclude={"patience"}),
        callbacks=[*callbacks, best, EarlyStopping(MONITOR, patience=settings.patience), history],
        deterministic=True,
        reload_dataloaders_every_n_epochs=1,  # each epoch has its own texts and order
        use_distributed_sampler=False,  # the batches are already distributed
        sync_batchnorm=torch.cuda.is_available() and settings.accelerator != "cpu",
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(build(), data)
    network = build().network  # a new one: sharding strategies leave parts of the trained network on other processes
    if best.weights:  # with a sharding strategy complete on the first process only
        network.load_state_dict({**network.state_dict(), **best.weights})
    return Trained(network.eval(), history.rows, best.epoch, trainer.is_global_zero)


class BestWeights(Callback):
    """Keeps the trained weights of the epoch with the lowest validation loss."""

    def __init__(self) -> None:
        self.loss = float("inf")
        self.epoch = 0
        self.weights: dict[str, Tensor] = {}

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        loss = float(trainer.callback_metrics[MONITOR])
        if loss < self.loss or not self.weights:
            self.loss, self.epoch = loss, trainer.current_epoch + 1
            state = trainer.strategy.lightning_module_state_dict()  # complete on the first process, also when sharded
            named = {name.removeprefix("network."): value for name, value in state.items()}
            assert isinstance(pl_module, TrainingModule)
            is_learned = pl_module.network.is_learned
            self.weights = {name: value.cpu().clone() for name, value in named.items() if is_learned(name)}


class History(Callback):
    """Records one history row and prints one progress line per epoch."""

    def __init__(self, progress: ReportProgress) -> None:
        self.progress = progress
        self.rows: list[HistoryRow] = []
        self._started = 0.0

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._started = time.monotonic()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        metrics = {name: float(value) for name, value in sorted(trainer.callback_metrics.items())}
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        epoch = trainer.current_epoch + 1
        self.rows.append({"epoch": epoch, "learning_rate": rate, **metrics})
        if trainer.is_global_zero:
            message = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in metrics.items())
            seconds = time.monotonic() - self._started
            self.progress(f"{message} ({seconds:.1f} s)", epoch, trainer.max_epochs or epoch)


def _silence_lightning() -> None:
    """Hide Lightning's hints about hardware, loaders and loggers, which repeat the settings."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning", category=FutureWarning)
    warnings.filterwarnings("ignore", module="lightning", message=".*(num_workers|does not have many workers).*")
