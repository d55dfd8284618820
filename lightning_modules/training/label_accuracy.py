"""Accuracy of classifiers during training, over the rows with a label."""

from collections.abc import Sequence
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from lightning_modules.training.labels import MISSING


class LabelAccuracy(Callback):
    """Logs ``validation_<head>_accuracy`` after each epoch, over the validation rows with a label.

    It reads ``logits`` and ``labels`` from the outputs of a module's ``step``: head -> (B, C) and head -> (B,).
    """

    def __init__(self, heads: Sequence[str]) -> None:
        self.heads = tuple(heads)
        self._counts = torch.zeros(len(self.heads), 2, dtype=torch.float64)  # correct, labelled

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        for row, head in enumerate(self.heads):
            logits, labels = outputs["logits"][head], outputs["labels"][head]
            correct = (logits.argmax(dim=-1) == labels).sum()
            labelled = (labels != MISSING).sum()
            self._counts[row] += torch.stack([correct, labelled]).cpu()

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        counts = trainer.strategy.reduce(self._counts.float().to(pl_module.device), reduce_op="sum")
        for row, head in enumerate(self.heads):
            correct, labelled = counts[row].tolist()
            if labelled:
                pl_module.log(f"validation_{head}_accuracy", correct / labelled)  # equal on all processes
        self._counts.zero_()
