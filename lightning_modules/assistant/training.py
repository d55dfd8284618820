"""Training of causal language models on packed sequences."""

import random
from collections.abc import Callable, Sequence

from lightning import LightningDataModule
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lightning_modules.assistant.language_model import Language
from lightning_modules.assistant.packing import BlockBatches, Blocks, Piece
from lightning_modules.training.settings import OptimizerSettings
from lightning_modules.training.training_module import TrainingModule


class PackedData(LightningDataModule):
    """Train and validation batches for Lightning.

    Args:
        sample: returns the train sequences of an epoch, numbered from 0.
        validation: the validation sequences.
        size: tokens per block.
        batch_size: blocks per batch on each device.
        pad_token: id of the padding token.
        seed: of the order in each epoch.
    """

    def __init__(
        self,
        sample: Callable[[int], Sequence[Piece]],
        validation: Sequence[Piece],
        size: int,
        batch_size: int,
        pad_token: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.sample, self.validation, self.seed = sample, validation, seed
        self.size, self.batch_size, self.pad_token = size, batch_size, pad_token

    def train_dataloader(self) -> DataLoader:
        epoch = self.trainer.current_epoch if self.trainer else 0
        pieces = list(self.sample(epoch))
        random.Random(f"{self.seed} {epoch}").shuffle(pieces)
        return self._loader(pieces)

    def val_dataloader(self) -> DataLoader:
        return self._loader(self.validation)

    def _loader(self, pieces: Sequence[Piece]) -> DataLoader:
        batches = BlockBatches(pieces, self.size, self.batch_size, self.pad_token)
        rank, ranks = (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        share = len(batches) // ranks  # equal for all processes: one with a further batch would wait forever
        return DataLoader(batches, batch_size=None, sampler=range(rank, share * ranks, ranks))


class LanguageModule(TrainingModule):
    """Trains a :class:`Language` on packed sequences by the mean cross-entropy of the labelled tokens."""

    network: Language

    def __init__(self, network: Language, optimizer: OptimizerSettings) -> None:
        super().__init__(network.train(), optimizer)  # a loaded model is in evaluation mode, without dropout

    def step(self, batch: Blocks) -> dict[str, Tensor]:
        logits, labels = self.network(batch)
        return {"loss": nn.functional.cross_entropy(logits.float(), labels)}
