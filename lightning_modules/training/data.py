"""Batches of shards for Lightning."""

from lightning import LightningDataModule
from torch.utils.data import DataLoader

from lightning_modules.training.shards import Collate, ShardBatches, ShardSplit


class ShardData(LightningDataModule):
    """Train and validation batches for Lightning; each epoch has its own random order and augmentation."""

    def __init__(self, train: ShardSplit, validation: ShardSplit, collate: Collate, seed: int) -> None:
        super().__init__()
        self.train, self.validation, self.collate, self.seed = train, validation, collate, seed

    def train_dataloader(self) -> DataLoader:
        return self._loader(self.train, self.trainer.current_epoch if self.trainer else 0)

    def val_dataloader(self) -> DataLoader:
        return self._loader(self.validation, None)

    def _loader(self, split: ShardSplit, epoch: int | None) -> DataLoader:
        rank, ranks = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        batches = ShardBatches(split, self.collate, epoch, self.seed, rank, ranks)
        return DataLoader(batches, batch_size=None, num_workers=split.settings.num_workers)
