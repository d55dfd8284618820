"""Base class of all Lightning modules: a network, an optimiser and a step."""

from abc import ABC, abstractmethod
from typing import Any

from lightning import LightningModule
from torch import Tensor

from lightning_modules.training.network import Network
from lightning_modules.training.optimizers import adamw, schedules
from lightning_modules.training.settings import OptimizerSettings

MONITOR = "validation_loss"
"""Metric that selects the best epoch, stops early and drives plateau schedules."""


class TrainingModule(LightningModule, ABC):
    """Trains a network; a subclass implements :meth:`step`.

    Args:
        network: to train.
        optimizer: settings of AdamW and its schedule.
    """

    def __init__(self, network: Network, optimizer: OptimizerSettings) -> None:
        super().__init__()
        self.network = network
        self.optimizer_settings = optimizer

    @abstractmethod
    def step(self, batch: Any) -> dict[str, Tensor]:
        """One batch -> ``loss`` (a scalar) and further outputs for callbacks."""

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        loss = self.step(batch)["loss"]
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(batch), sync_dist=True)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> dict[str, Tensor]:
        outputs = self.step(batch)
        self.log(MONITOR, outputs["loss"], batch_size=len(batch), sync_dist=True)
        return outputs

    def configure_optimizers(self) -> Any:
        steps = int(self.trainer.estimated_stepping_batches)
        optimizer = adamw(self.network, self.optimizer_settings)
        epochs = self.trainer.max_epochs or 1
        return [optimizer], schedules(optimizer, self.optimizer_settings, steps, epochs, MONITOR)
