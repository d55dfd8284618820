"""Training of the cross-encoder: groups of guides that are sampled again in every epoch."""

import random
from collections.abc import Sequence
from typing import Any

import torch
from lightning import Callback, LightningDataModule, LightningModule, Trainer
from torch import Tensor
from torch.utils.data import DataLoader
from torchmetrics.functional.retrieval import retrieval_normalized_dcg

from lightning_modules.reranker.cross_encoder import CrossEncoder
from lightning_modules.reranker.ranking_examples import (
    Encode,
    GroupBatch,
    GroupBatches,
    RankingExample,
    listwise_loss,
    sample_group,
)
from lightning_modules.training.settings import GroupSettings, OptimizerSettings
from lightning_modules.training.training_module import TrainingModule


class GroupData(LightningDataModule):
    """Train and validation batches for Lightning.

    Validation groups are the same in every epoch: all relevant guides and all hard negatives of a query.

    Args:
        training: examples of the train split.
        validation: examples of the validation split.
        guides: texts of all guides.
        encode: computes the input of the cross-encoder.
        settings: of the sampled groups.
        seed: of the sampling and of the order.
    """

    def __init__(
        self,
        training: Sequence[RankingExample],
        validation: Sequence[RankingExample],
        guides: Sequence[str],
        encode: Encode,
        settings: GroupSettings,
        seed: int,
    ) -> None:
        super().__init__()
        self.training, self.validation, self.guides = training, validation, guides
        self.encode, self.settings, self.seed = encode, settings, seed

    def train_dataloader(self) -> DataLoader:
        epoch = self.trainer.current_epoch if self.trainer else 0
        draw = random.Random(f"{self.seed} {epoch}")
        order = draw.sample(self.training, len(self.training))
        return self._loader(
            [(example, sample_group(example, len(self.guides), self.settings, draw)) for example in order]
        )

    def val_dataloader(self) -> DataLoader:
        return self._loader(
            [(example, [*sorted(example.gains), *example.hard_negatives]) for example in self.validation]
        )

    def _loader(self, groups: Sequence[tuple[RankingExample, Sequence[int]]]) -> DataLoader:
        batches = GroupBatches(groups, self.guides, self.encode, self.settings.batch_size)
        rank, ranks = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        share = len(batches) // ranks  # equal for all ranks: a process with one batch more would wait forever
        return DataLoader(batches, batch_size=None, sampler=range(rank, share * ranks, ranks))


class RankingProgress(Callback):
    """Logs the NDCG@10 of the validation groups after each epoch: relevant guides among hard negatives."""

    def __init__(self) -> None:
        self._values: list[Tensor] = []

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: GroupBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        groups = zip(outputs["logits"].split(batch.sizes), batch.gains.split(batch.sizes), strict=True)
        self._values += [retrieval_normalized_dcg(logits.float(), gains, top_k=10) for logits, gains in groups]

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        pl_module.log("validation_ndcg_at_10", torch.stack(self._values).mean(), sync_dist=True)
        self._values = []


class CrossEncoderModule(TrainingModule):
    """Trains a :class:`CrossEncoder` to rank the group of guides of each query."""

    network: CrossEncoder

    def __init__(self, network: CrossEncoder, optimizer: OptimizerSettings) -> None:
        super().__init__(network.train(), optimizer)  # a loaded network is in evaluation mode, without dropout

    def step(self, batch: GroupBatch) -> dict[str, Tensor]:
        logits = self.network(batch.tokens)
        return {"loss": listwise_loss(logits, batch.gains, batch.sizes), "logits": logits}
