"""Training in two phases: first with frozen parts, then the whole network at another learning rate.

Source: Howard and Ruder 2018, Universal Language Model Fine-tuning for Text Classification (section 3.3, gradual
unfreezing), here in one step.
"""

from collections.abc import Sequence
from typing import Protocol

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.strategies import DDPStrategy
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

FINDS_UNUSED = "ddp_find_unused_parameters_true"


class PhaseError(ValueError):
    """The trainer's settings do not allow two phases."""


class Parts(Protocol):
    """Returns the parts of a module that phase 1 freezes; the list can be empty."""

    def __call__(self, module: LightningModule) -> Sequence[nn.Module]: ...


class TwoPhases(Callback):
    """Trains with frozen parts in phase 1 and without in phase 2, at another learning rate.

    Frozen parts get no gradients and are in evaluation mode: their weights and the statistics of their batch norms do
    not change. The schedule runs over both phases; phase 2 multiplies its rate by ``rate_change``. Early stopping is
    disabled in phase 1, and its patience restarts in phase 2. The history gets a column ``phase`` with 1 or 2.

    Args:
        parts: returns the parts that phase 1 freezes.
        frozen_epochs: length of phase 1; 0 for phase 2 only.
        rate_change: learning rate of phase 2 divided by that of phase 1.
    """

    def __init__(self, parts: Parts, frozen_epochs: int, rate_change: float) -> None:
        self.parts, self.frozen_epochs, self.rate_change = parts, frozen_epochs, rate_change

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Check the strategy.

        Raises:
            PhaseError: several processes would wait forever for the gradients of the frozen parts.
        """
        if (
            self.frozen_epochs
            and self.parts(pl_module)
            and trainer.world_size > 1
            and not _handles_missing_gradients(trainer)
        ):
            raise PhaseError(
                "several processes with frozen parts need a strategy that handles missing gradients, "
                f"such as {FINDS_UNUSED}"
            )
        trainer.fit_loop.min_epochs = self.frozen_epochs + 1

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        frozen = trainer.current_epoch < self.frozen_epochs
        for part in self.parts(pl_module):
            part.requires_grad_(not frozen)
            part.train(not frozen)
        if trainer.current_epoch == self.frozen_epochs:
            self._change_rate(trainer)
            _reset_patience(trainer)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        pl_module.log("phase", 1.0 if trainer.current_epoch < self.frozen_epochs else 2.0, sync_dist=True)

    def _change_rate(self, trainer: Trainer) -> None:
        """Change the current rate of the optimisers and the future rates of the schedules."""
        for optimizer in trainer.optimizers:
            for group in optimizer.param_groups:
                group["lr"] *= self.rate_change
        for config in trainer.lr_scheduler_configs:
            schedule = config.scheduler
            if isinstance(schedule, ReduceLROnPlateau):
                schedule.min_lrs = [rate * self.rate_change for rate in schedule.min_lrs]
            else:
                schedule.base_lrs = [rate * self.rate_change for rate in schedule.base_lrs]


def _reset_patience(trainer: Trainer) -> None:
    """Restart early stopping and plateau schedules: phase 2 can start with a higher loss than phase 1 ended with."""
    trainer.should_stop = False
    for callback in trainer.early_stopping_callbacks:
        assert isinstance(callback, EarlyStopping)
        callback.wait_count = 0
    for config in trainer.lr_scheduler_configs:
        if isinstance(config.scheduler, ReduceLROnPlateau):
            config.scheduler.num_bad_epochs = 0


def _handles_missing_gradients(trainer: Trainer) -> bool:
    strategy = trainer.strategy
    return isinstance(strategy, DDPStrategy) and bool(strategy._ddp_kwargs.get("find_unused_parameters"))
