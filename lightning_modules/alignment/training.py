"""Training of the alignment."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from lightning import LightningDataModule
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader

from lightning_modules.alignment.alignment import Alignment, VectorIds, Vectors
from lightning_modules.alignment.config import Space
from lightning_modules.training.losses import gather
from lightning_modules.training.training_module import TrainingModule


def shared_target_contrastive_loss(one: Tensor, other: Tensor, vector_ids: Tensor, scale: Tensor) -> Tensor:
    """Contrastive loss of two spaces in which listings can have identical vectors.

    Two listings with an identical vector in one of the spaces cannot be separated there. The target of row i is
    therefore uniform over its A matching rows (Khosla et al. 2020, L_out), and the entropy of the target, log A, is
    subtracted from the cross-entropy: ``KL(t || p) = -1/A sum_a log p_ia - log A``. The minimum is 0 for any A. With
    A = 1 for every row this is the loss of Radford et al. 2021.

    Args:
        one: L2-normalised embeddings of this process, (B, D).
        other: L2-normalised embeddings, (B, D); row i belongs to row i of ``one``.
        vector_ids: ids of the listings' vectors in the two spaces, int64 (B, 2); rows match if they share an id.
        scale: factor of the cosines, scalar.

    Returns:
        Mean over rows and both directions, scalar.
    """
    all_ids = gather(vector_ids.double())  # (P * B, 2) for P processes; float64 is exact up to 2^53
    matches = (vector_ids[:, None].double() == all_ids[None]).any(dim=-1).to(one.dtype)  # (B, P * B)
    target = matches / matches.sum(dim=1, keepdim=True)
    entropy = matches.sum(dim=1).log().mean()
    by_one = functional.cross_entropy(scale * one @ gather(other).T, target)
    by_other = functional.cross_entropy(scale * other @ gather(one).T, target)
    return (by_one + by_other) / 2 - entropy


@dataclass  # not frozen: Lightning moves its tensors to the device
class AlignmentBatch:
    """Vectors of listings in every space."""

    vectors: dict[Space, Tensor]
    """Space -> (B, dimensions)."""
    vector_ids: dict[Space, Tensor]
    """Space -> int64 (B,), equal for identical vectors."""

    def __len__(self) -> int:
        return len(next(iter(self.vectors.values())))


class AlignmentModule(TrainingModule):
    """Trains an :class:`Alignment` on the sum of the losses of all pairs of spaces."""

    network: Alignment

    def step(self, batch: AlignmentBatch) -> dict[str, Tensor]:
        found, scale = self.network(batch.vectors), self.network.scale()
        losses = [
            shared_target_contrastive_loss(
                found[one], found[other], torch.stack([batch.vector_ids[one], batch.vector_ids[other]], dim=1), scale
            )
            for one, other in combinations(self.network.spaces, 2)
        ]
        return {"loss": torch.stack(losses).sum()}


class AlignmentData(LightningDataModule):
    """Train batches in a random order per epoch, and all validation listings as one batch.

    Args:
        train: vectors and vector ids of the train listings.
        validation: vectors and vector ids of the validation listings.
        batch_size: listings per batch; an incomplete last batch is dropped.
        seed: of the order.
    """

    def __init__(
        self, train: tuple[Vectors, VectorIds], validation: tuple[Vectors, VectorIds], batch_size: int, seed: int
    ) -> None:
        super().__init__()
        self.train, self.validation = train, validation
        self.batch_size, self.seed = batch_size, seed

    def train_dataloader(self) -> DataLoader:
        return DataLoader(self.epoch(self.trainer.current_epoch if self.trainer else 0), batch_size=None)  # type: ignore[arg-type]

    def val_dataloader(self) -> DataLoader:
        return DataLoader([_make_batch(*self.validation, slice(None))], batch_size=None)  # type: ignore[arg-type]

    def epoch(self, epoch: int) -> list[AlignmentBatch]:
        """The batches of one epoch, numbered from 0."""
        count = len(next(iter(self.train[0].values())))
        order = np.random.Generator(np.random.PCG64([self.seed, epoch])).permutation(count)
        starts = range(0, count - self.batch_size + 1, self.batch_size)
        return [_make_batch(*self.train, order[start : start + self.batch_size]) for start in starts]


def _make_batch(vectors: Vectors, vector_ids: VectorIds, rows: NDArray[np.int64] | slice) -> AlignmentBatch:
    return AlignmentBatch(
        {space: torch.from_numpy(values[rows]) for space, values in vectors.items()},
        {space: torch.from_numpy(values[rows]) for space, values in vector_ids.items()},
    )
