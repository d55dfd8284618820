"""Edges as batches: some are to be told from pairs that are none, the others pass messages meanwhile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from lightning import LightningDataModule
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lightning_modules.negatives.negatives import NegativeSampler, Pairs
from lightning_modules.recommender.neighbour_sampler import NeighbourSampler


@dataclass  # not frozen: Lightning moves its tensors to the device
class LinkBatch:
    """A graph or a part of one, and pairs of its nodes to be judged."""

    features: Tensor
    """Of the nodes, (N, F)."""
    edges: Tensor
    """That pass messages: from whom to whom, (2, E)."""
    pairs: Tensor
    """None of which is among the edges, in either direction, where the label is 1, (P, 2)."""
    labels: Tensor
    """1 for an edge, 0 for a pair that is none, float32 (P,)."""
    nodes: Tensor | None = None
    """Which nodes of the whole graph these are, (N,); None: all of them, in order."""

    def __len__(self) -> int:
        return len(self.pairs)


class LinkBatches(Dataset[LinkBatch]):
    """Batches that are made one by one, since all parts of a large graph at once may fill the memory."""

    def __init__(self, count: int, made: Callable[[int], LinkBatch]) -> None:
        self._count, self._made = count, made

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> LinkBatch:
        if number >= self._count:
            raise IndexError(number)
        return self._made(number)


class LinkData(LightningDataModule):
    """Batches of the graph: in each epoch every train pair is judged once, and passes messages otherwise.

    Args:
        features: of the nodes, float32 (N, F).
        types: of the nodes, N.
        messages: pairs that pass messages and are never judged, (M, 2).
        train: pairs to learn from.
        validation: pairs that steer the training, and as many that are none.
        batches: to an epoch; the more, the fewer pairs are withheld from the messages at a time.
        seed: of the order, the negatives and the neighbours, which are drawn anew in each epoch.
        fan_out: most neighbours of a node that a batch has, layer by layer from the embeddings back, -1: all; None: a
            batch has the whole graph.
    """

    def __init__(
        self,
        features: NDArray[np.float32],
        types: Sequence[str],
        messages: Pairs,
        train: Pairs,
        validation: tuple[Pairs, Pairs],
        batches: int,
        seed: int,
        fan_out: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.features = torch.from_numpy(features)
        self.known, self.train, self.validation = np.concatenate([messages, train]), train, validation
        self.sampler = NeighbourSampler(self.known, len(types), fan_out) if fan_out else None
        self.batches, self.seed = batches, seed
        self.negatives = NegativeSampler(train, types, train)  # held-out edges are unknown, so they may be drawn

    def train_dataloader(self) -> DataLoader:
        return DataLoader(self.epoch(self.trainer.current_epoch if self.trainer else 0), batch_size=None)

    def val_dataloader(self) -> DataLoader:
        nobody = np.zeros(len(self.known), bool)
        return DataLoader(
            LinkBatches(1, lambda _: self._batch(nobody, *self.validation, self._random())), batch_size=None
        )

    def epoch(self, epoch: int) -> LinkBatches:
        """The batches of one epoch, numbered from 0."""
        random = self._random(epoch)
        order = random.permutation(len(self.train))
        others = np.array_split(random.permutation(self.negatives.draw(random)), self.batches)
        judged = np.array_split(order, self.batches)

        def made(number: int) -> LinkBatch:
            silent = np.zeros(len(self.known), bool)
            silent[len(self.known) - len(self.train) + judged[number]] = True
            return self._batch(silent, self.train[judged[number]], others[number], self._random(epoch, number + 1))

        return LinkBatches(self.batches, made)

    def _batch(self, silent: NDArray[np.bool_], edges: Pairs, others: Pairs, random: np.random.Generator) -> LinkBatch:
        labels = torch.from_numpy(np.repeat(np.array([1, 0], np.float32), [len(edges), len(others)]))
        pairs = np.concatenate([edges, others])
        if self.sampler is None:
            return LinkBatch(self.features, add_reverse_edges(self.known[~silent]), torch.from_numpy(pairs), labels)
        nodes, passing = self.sampler(pairs, silent, random)
        here = torch.from_numpy(nodes)
        places = torch.from_numpy(np.searchsorted(nodes, pairs))
        return LinkBatch(self.features[here], torch.from_numpy(passing), places, labels, here)

    def _random(self, *numbers: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([self.seed, *numbers]))


def add_reverse_edges(pairs: Pairs) -> Tensor:
    """Pairs (M, 2) as directed edges (2, 2 M), each in both directions."""
    return torch.from_numpy(np.concatenate([pairs, pairs[:, ::-1]]).T.copy())
