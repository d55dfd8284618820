"""Data of a training in two phases: all listings first, then the listings of a domain."""

from torch.utils.data import DataLoader

from lightning_modules.training.data import ShardData
from lightning_modules.training.shards import Collate, ShardSplit


class PhasedData(ShardData):
    """As :class:`ShardData`, with another train split in the second phase.

    Both phases validate on the domain, so that their losses are comparable.

    Args:
        foundation: train split of the first phase.
        domain: train split of the second phase.
        validation: validation split of the domain.
        epochs: number of epochs of the first phase.
    """

    def __init__(
        self,
        foundation: ShardSplit,
        domain: ShardSplit,
        validation: ShardSplit,
        epochs: int,
        collate: Collate,
        seed: int,
    ) -> None:
        super().__init__(foundation, validation, collate, seed)
        self.domain, self.epochs = domain, epochs

    def train_dataloader(self) -> DataLoader:
        epoch = self.trainer.current_epoch if self.trainer else 0
        return self._loader(self.train if epoch < self.epochs else self.domain, epoch)
