"""Training in two phases: first around frozen parts of the network, then all of it at another rate.

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
    """Names the parts of a module that phase 1 freezes; there may be none."""

    def __call__(self, module: LightningModule) -> Sequence[nn.Module]: ...


class TwoPhases(Callback):
    """Phase 1 learns everything but some parts; phase 2 learns everything, at a rate of its own.

    What is frozen gets no gradients and is in evaluation mode: neither its weights nor the statistics of its batch
    norms change. In phase 2 both learn. The rate is at any time that of the phase times the factor of the schedule,
    which runs over both phases as over one. Stopping early waits for phase 2 and has its whole patience there. The
    column ``phase`` of the history is 1 or 2.

    Args:
        parts: what is frozen in phase 1.
        frozen_epochs: length of phase 1; with 0 there is only phase 2.
        rate_change: the rate of phase 2 as a share of that of phase 1.
    """

    def __init__(self, parts: Parts, frozen_epochs: int, rate_change: float) -> None:
        self.parts, self.frozen_epochs, self.rate_change = parts, frozen_epochs, rate_change

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Raises PhaseError: processes would wait for ever for the gradients of what is frozen."""
        if self.frozen_epochs and self.parts(pl_module) and trainer.world_size > 1 and not _finds_unused(trainer):
            raise PhaseError(
                "several processes that train with a frozen part must look for the gradients that are missing, "
                f"as strategy {FINDS_UNUSED} does"
            )
        trainer.fit_loop.min_epochs = self.frozen_epochs + 1

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        frozen = trainer.current_epoch < self.frozen_epochs
        for part in self.parts(pl_module):
            part.requires_grad_(not frozen)
            part.train(not frozen)
        if trainer.current_epoch == self.frozen_epochs:
            self._change_rate(trainer)
            _forget_bad_epochs(trainer)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        pl_module.log("phase", 1.0 if trainer.current_epoch < self.frozen_epochs else 2.0, sync_dist=True)

    def _change_rate(self, trainer: Trainer) -> None:
        """Of this moment in the optimisers, of the moments to come in the schedules."""
        for optimizer in trainer.optimizers:
            for group in optimizer.param_groups:
                group["lr"] *= self.rate_change
        for config in trainer.lr_scheduler_configs:
            schedule = config.scheduler
            if isinstance(schedule, ReduceLROnPlateau):
                schedule.min_lrs = [rate * self.rate_change for rate in schedule.min_lrs]
            else:
                schedule.base_lrs = [rate * self.rate_change for rate in schedule.base_lrs]


def _forget_bad_epochs(trainer: Trainer) -> None:
    """Phase 2 may begin worse than phase 1 ended."""
    trainer.should_stop = False
    for callback in trainer.early_stopping_callbacks:
        assert isinstance(callback, EarlyStopping)
        callback.wait_count = 0
    for config in trainer.lr_scheduler_configs:
        if isinstance(config.scheduler, ReduceLROnPlateau):
            config.scheduler.num_bad_epochs = 0


def _finds_unused(trainer: Trainer) -> bool:
    strategy = trainer.strategy
    return isinstance(strategy, DDPStrategy) and bool(strategy._ddp_kwargs.get("find_unused_parameters"))
