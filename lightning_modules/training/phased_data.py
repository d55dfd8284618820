"""Two trainings one after the other, on all listings first and then on those that it is about."""

from torch.utils.data import DataLoader

from lightning_modules.training.data import Collate, ShardData, ShardSplit


class PhasedData(ShardData):
    """As :class:`ShardData`, with another train split from one epoch on.

    What it is about also validates, in both phases, so that their losses compare.

    Args:
        foundation: what the first phase learns from.
        domain: what the second phase learns from.
        validation: of the domain's own.
        epochs: of the first phase.
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
