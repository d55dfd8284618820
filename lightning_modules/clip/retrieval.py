"""Retrieval recall on the validation split during training."""

from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from lightning_modules.clip.clip import Clip
from lightning_modules.training.losses import gather


class RetrievalLogger(Callback):
    """Logs text-to-image recall@k on the validation split and the temperature after each epoch."""

    def __init__(self, k: int = 10) -> None:
        self.k = k
        self._image: list[Tensor] = []
        self._text: list[Tensor] = []

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._image.append(gather(outputs["image"]))
        self._text.append(gather(outputs["text"]))

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        recall = recall_at_k(torch.cat(self._text), torch.cat(self._image), self.k)
        pl_module.log(f"validation_recall_at_{self.k}", recall, sync_dist=True)  # equal on all processes
        network = pl_module.network
        assert isinstance(network, Clip)
        pl_module.log("temperature", network.temperature, sync_dist=True)
        self._image, self._text = [], []


def recall_at_k(queries: Tensor, candidates: Tensor, k: int) -> float:
    """Recall@k: share of the queries (N, D) whose candidate of the same row (N, D) is among the k most similar.

    A tie counts against the query.
    """
    similarity = queries @ candidates.T  # (N, N)
    rank = (similarity >= similarity.diagonal()[:, None]).sum(dim=1)  # 1 is best
    return (rank <= k).float().mean().item()
