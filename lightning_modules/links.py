"""Edges as batches: some are to be told from pairs that are none, the others pass messages meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from lightning import LightningDataModule
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from lightning_modules.negatives import NegativeDraw, Pairs


@dataclass  # not frozen: Lightning moves its tensors to the device
class LinkBatch:
    """A graph, and pairs of its nodes to be judged."""

    features: Tensor
    """Of the nodes, (N, F)."""
    edges: Tensor
    """That pass messages: from whom to whom, (2, E)."""
    pairs: Tensor
    """None of which is among the edges, in either direction, where the label is 1, (P, 2)."""
    labels: Tensor
    """1 for an edge, 0 for a pair that is none, float32 (P,)."""

    def __len__(self) -> int:
        return len(self.pairs)


class LinkData(LightningDataModule):
    """Batches of the whole graph: in each epoch every train pair is judged once, and passes messages otherwise.

    Args:
        features: of the nodes, float32 (N, F).
        types: of the nodes, N.
        messages: pairs that pass messages and are never judged, (M, 2).
        train: pairs to learn from.
        validation: pairs that steer the training, and as many that are none.
        batches: to an epoch; the more, the fewer pairs are withheld from the messages at a time.
        seed: of the order and of the negatives, which are drawn anew in each epoch.
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
    ) -> None:
        super().__init__()
        self.features = torch.from_numpy(features)
        self.messages, self.train, self.validation = messages, train, validation
        self.batches, self.seed = batches, seed
        self.negatives = NegativeDraw(train, types, train)  # held-out edges are unknown, so they may be drawn

    def train_dataloader(self) -> DataLoader:
        epoch = self.trainer.current_epoch if self.trainer else 0
        return DataLoader(self.epoch(epoch), batch_size=None)  # type: ignore[arg-type]

    def val_dataloader(self) -> DataLoader:
        edges, others = self.validation
        known = np.concatenate([self.messages, self.train])
        return DataLoader([self._batch(known, edges, others)], batch_size=None)  # type: ignore[arg-type]

    def epoch(self, epoch: int) -> list[LinkBatch]:
        """The batches of one epoch, numbered from 0."""
        random = np.random.Generator(np.random.PCG64([self.seed, epoch]))
        order = random.permutation(len(self.train))
        others = random.permutation(self.negatives.draw(random))
        batches = []
        for judged, drawn in zip(
            np.array_split(order, self.batches), np.array_split(others, self.batches), strict=True
        ):
            passing = np.delete(self.train, judged, axis=0)
            batches.append(self._batch(np.concatenate([self.messages, passing]), self.train[judged], drawn))
        return batches

    def _batch(self, messages: Pairs, edges: Pairs, others: Pairs) -> LinkBatch:
        labels = np.repeat(np.array([1, 0], np.float32), [len(edges), len(others)])
        pairs = torch.from_numpy(np.concatenate([edges, others]))
        return LinkBatch(self.features, both_ways(messages), pairs, torch.from_numpy(labels))


def both_ways(pairs: Pairs) -> Tensor:
    """Pairs (M, 2) as directed edges (2, 2 M), each in both directions."""
    return torch.from_numpy(np.concatenate([pairs, pairs[:, ::-1]]).T.copy())
