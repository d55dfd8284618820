"""Projections of several spaces into one, in which the vectors of the same listing lie together."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar, Self

import numpy as np
import torch
from lightning import LightningDataModule
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from lightning_modules.alignment.config import AlignmentConfig, Space
from lightning_modules.layers.perceptron import MultiLayerPerceptron
from lightning_modules.training.losses import gather
from lightning_modules.training.network import Network
from lightning_modules.training.temperature import clamped_scale, make_log_scale
from lightning_modules.training.training_module import TrainingModule

SMALLEST = 1e-6
"""Deviation below which a dimension counts as constant."""

Vectors = Mapping[Space, NDArray[np.float32]]
"""By space, (N, dimensions), a row for each listing."""
VectorIds = Mapping[Space, NDArray[np.int64]]
"""By space, (N,): listings of one number have the very same vector there."""


class Alignment(Network):
    """For each space a projection of its standardised vectors onto the unit sphere of the shared space."""

    Config: ClassVar[type] = AlignmentConfig
    config: AlignmentConfig

    def __init__(self, config: AlignmentConfig) -> None:
        super().__init__(config)
        self.spaces = sorted(config.spaces)
        hidden = [] if config.hidden_dim is None else [config.hidden_dim]
        self.projections = nn.ModuleDict(
            {
                space: MultiLayerPerceptron(config.spaces[space], hidden, config.projection_dim, activation="gelu")
                for space in self.spaces
            }
        )
        self.dropout = nn.Dropout(config.dropout)
        self.log_scale = make_log_scale()
        for space in self.spaces:
            self.register_buffer(f"{space}_mean", torch.zeros(config.spaces[space]))
            self.register_buffer(f"{space}_deviation", torch.ones(config.spaces[space]))

    def fit_standardization(self, vectors: Vectors) -> Self:
        """This network, which from now on brings each dimension to mean 0 and deviation 1 as over these vectors."""
        for space in self.spaces:
            deviation = vectors[space].std(axis=0)
            deviation[deviation < SMALLEST] = 1
            getattr(self, f"{space}_mean").copy_(torch.from_numpy(vectors[space].mean(axis=0)))
            getattr(self, f"{space}_deviation").copy_(torch.from_numpy(deviation))
        return self

    def forward(self, vectors: Mapping[Space, Tensor]) -> dict[Space, Tensor]:
        """By space, (B, dimensions) -> unit vectors (B, width)."""
        return {space: self._project(space, given) for space, given in vectors.items()}

    def _project(self, space: Space, vectors: Tensor) -> Tensor:
        standard = (vectors - getattr(self, f"{space}_mean")) / getattr(self, f"{space}_deviation")
        return functional.normalize(self.projections[space](self.dropout(standard)).float(), dim=-1)

    def scale(self) -> Tensor:
        """1 / temperature, learned, in (0, 100]."""
        return clamped_scale(self.log_scale)

    @torch.inference_mode()
    def embed(self, vectors: Vectors) -> dict[Space, NDArray[np.float32]]:
        """The same of arrays, for a network in evaluation mode."""
        placed = {space: torch.from_numpy(given).to(self.device) for space, given in vectors.items()}
        return {space: found.cpu().numpy() for space, found in self(placed).items()}


def shared_target_contrastive_loss(one: Tensor, other: Tensor, alike: Tensor, scale: Tensor) -> Tensor:
    """Contrastive loss of two spaces in which some listings have the very same vector.

    Two listings that are alike, because they share their vector in one of the spaces, cannot be told apart there: to
    push an image away from the other's node is to push it away from its own. So the target t of row i is spread evenly
    over all A that are alike (Khosla et al. 2020, L_out), and what no model can learn, the target's entropy log A, is
    taken off the cross-entropy: KL(t || p) = -1/A sum_a log p_ia - log A. It is 0 where each row divides its whole
    probability evenly among those alike, whatever A is, and the loss of Radford et al. 2021 where only a row itself is
    like it.

    Args:
        one: L2-normalised embeddings of this process, (B, D).
        other: L2-normalised embeddings, (B, D); row i belongs to row i of ``one``.
        alike: numbers of the listings' vectors in the two spaces, int64 (B, 2): rows that share one are alike.
        scale: what the cosines are multiplied by, scalar.

    Returns:
        The mean over rows and both directions, scalar.
    """
    everyone = gather(alike.double())  # (P * B, 2) for P processes, as contrastive_loss compares them; exact to 2^53
    same = (alike[:, None].double() == everyone[None]).any(dim=-1).to(one.dtype)  # (B, P * B)
    target = same / same.sum(dim=1, keepdim=True)
    entropy = same.sum(dim=1).log().mean()
    by_one = functional.cross_entropy(scale * one @ gather(other).T, target)
    by_other = functional.cross_entropy(scale * other @ gather(one).T, target)
    return (by_one + by_other) / 2 - entropy


@dataclass  # not frozen: Lightning moves its tensors to the device
class AlignmentBatch:
    """Listings with their vectors in every space."""

    vectors: dict[Space, Tensor]
    """By space, (B, dimensions)."""
    kinds: dict[Space, Tensor]
    """By space, int64 (B,): equal where the vectors are."""

    def __len__(self) -> int:
        return len(next(iter(self.vectors.values())))


class AlignmentModule(TrainingModule):
    """An :class:`Alignment` that learns all pairs of spaces jointly: its loss is the sum of theirs."""

    network: Alignment

    def step(self, batch: AlignmentBatch) -> dict[str, Tensor]:
        found, scale = self.network(batch.vectors), self.network.scale()
        losses = [
            shared_target_contrastive_loss(
                found[one], found[other], torch.stack([batch.kinds[one], batch.kinds[other]], dim=1), scale
            )
            for one, other in combinations(self.network.spaces, 2)
        ]
        return {"loss": torch.stack(losses).sum()}


class AlignmentData(LightningDataModule):
    """Batches of listings in an order drawn anew in each epoch; those that validate are one batch.

    Args:
        train: vectors and kinds of the listings to learn from.
        validation: of those that steer the training.
        batch_size: listings to a batch; what is left over of an epoch waits for the next.
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
        return DataLoader([_batch(*self.validation, slice(None))], batch_size=None)  # type: ignore[arg-type]

    def epoch(self, epoch: int) -> list[AlignmentBatch]:
        """The batches of one epoch, numbered from 0."""
        count = len(next(iter(self.train[0].values())))
        order = np.random.Generator(np.random.PCG64([self.seed, epoch])).permutation(count)
        begins = range(0, count - self.batch_size + 1, self.batch_size)
        return [_batch(*self.train, order[begin : begin + self.batch_size]) for begin in begins]


def _batch(vectors: Vectors, kinds: VectorIds, rows: NDArray[np.int64] | slice) -> AlignmentBatch:
    return AlignmentBatch(
        {space: torch.from_numpy(given[rows]) for space, given in vectors.items()},
        {space: torch.from_numpy(given[rows]) for space, given in kinds.items()},
    )
