"""Training of the recommender by link prediction: the edges that a batch predicts send no messages in it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from lightning import Callback, LightningDataModule, LightningModule, Trainer
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchmetrics.functional.classification import binary_auroc

from lightning_modules.negatives.negatives import NegativeSampler, Pairs
from lightning_modules.recommender.graph import GraphRecommender, edge_logits
from lightning_modules.recommender.links import LinkBatch, add_reverse_edges
from lightning_modules.recommender.neighbour_sampler import NeighbourSampler
from lightning_modules.training.settings import OptimizerSettings
from lightning_modules.training.training_module import TrainingModule


class LinkBatches(Dataset[LinkBatch]):
    """Batches that are built on access, because all subgraphs of a large graph may not fit into memory.

    Args:
        count: number of batches.
        build: builds the batch of an index from 0.
    """

    def __init__(self, count: int, build: Callable[[int], LinkBatch]) -> None:
        self._count, self._build = count, build

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> LinkBatch:
        if index >= self._count:
            raise IndexError(index)
        return self._build(index)


class LinkData(LightningDataModule):
    """Train and validation batches of a graph; an epoch predicts every train pair once.

    Args:
        features: of the nodes, float32 (N, F).
        types: of the nodes, N.
        messages: pairs that only send messages and are never predicted, (M, 2).
        train: pairs to train on, (P, 2).
        validation: validation pairs and validation negatives.
        batches: batches per epoch; more batches mask fewer pairs at a time.
        seed: of batch order, negatives and neighbours, which are sampled again in each epoch.
        fan_out: maximum number of neighbours per node, layer by layer from the output back, -1 for all; None: each
            batch contains the whole graph.
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
        self.message_edges, self.train, self.validation = np.concatenate([messages, train]), train, validation
        self.sampler = NeighbourSampler(self.message_edges, len(types), fan_out) if fan_out else None
        self.batches, self.seed = batches, seed
        self.negatives = NegativeSampler(train, types, train)  # held-out edges are unknown and may be sampled

    def train_dataloader(self) -> DataLoader:
        return DataLoader(self.epoch(self.trainer.current_epoch if self.trainer else 0), batch_size=None)

    def val_dataloader(self) -> DataLoader:
        masked = np.zeros(len(self.message_edges), bool)
        batches = LinkBatches(1, lambda _: self._build_batch(masked, *self.validation, self._generator()))
        return DataLoader(batches, batch_size=None)

    def epoch(self, epoch: int) -> LinkBatches:
        """The batches of one epoch, numbered from 0."""
        random = self._generator(epoch)
        order = random.permutation(len(self.train))
        negatives = np.array_split(random.permutation(self.negatives.sample(random)), self.batches)
        positives = np.array_split(order, self.batches)

        def build(index: int) -> LinkBatch:
            masked = np.zeros(len(self.message_edges), bool)
            masked[len(self.message_edges) - len(self.train) + positives[index]] = True
            edges = self.train[positives[index]]
            return self._build_batch(masked, edges, negatives[index], self._generator(epoch, index + 1))

        return LinkBatches(self.batches, build)

    def _build_batch(
        self, masked: NDArray[np.bool_], edges: Pairs, negatives: Pairs, random: np.random.Generator
    ) -> LinkBatch:
        """``masked`` marks the message edges that send no messages."""
        labels = torch.from_numpy(np.repeat(np.array([1, 0], np.float32), [len(edges), len(negatives)]))
        pairs = np.concatenate([edges, negatives])
        if self.sampler is None:
            message_edges = add_reverse_edges(self.message_edges[~masked])
            return LinkBatch(self.features, message_edges, torch.from_numpy(pairs), labels)
        sampled, edge_index = self.sampler(pairs, masked, random)
        nodes = torch.from_numpy(sampled)
        indices = torch.from_numpy(np.searchsorted(sampled, pairs))
        return LinkBatch(self.features[nodes], torch.from_numpy(edge_index), indices, labels, nodes)

    def _generator(self, *numbers: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([self.seed, *numbers]))


class GraphModule(TrainingModule):
    """Trains a :class:`GraphRecommender` by binary cross-entropy on edges and negatives.

    Args:
        network: to train.
        optimizer: settings of the optimiser.
        penalty: L2 penalty, ``penalty / 2 * sum(w ** 2)`` over the weights with two or more dimensions. Unlike AdamW's
            weight decay it passes through Adam's scaling, so weights with small gradients shrink most.
    """

    network: GraphRecommender

    def __init__(self, network: GraphRecommender, optimizer: OptimizerSettings, penalty: float) -> None:
        super().__init__(network, optimizer)
        self.penalty = penalty

    def step(self, batch: LinkBatch) -> dict[str, Tensor]:
        """One loss per part of the embeddings, so that each part predicts edges on its own; their mean is the loss."""
        parts = self.network.parts(self.network(batch.features, batch.edges, batch.nodes))
        scores = [edge_logits(part, batch.pairs) for part in parts]
        losses = [functional.binary_cross_entropy_with_logits(each, batch.labels) for each in scores]
        return {"loss": torch.stack(losses).mean(), "scores": torch.stack(scores).mean(dim=0), "labels": batch.labels}

    def training_step(self, batch: LinkBatch, batch_idx: int) -> Tensor:
        return super().training_step(batch, batch_idx) + self.penalty / 2 * self._sum_squares()

    def _sum_squares(self) -> Tensor:
        weights = [each for each in self.network.parameters() if each.ndim >= 2]
        return torch.stack([each.square().sum() for each in weights]).sum()


class LinkAurocLogger(Callback):
    """Logs ``validation_auroc`` after each epoch: the AUROC of edges against negatives."""

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        # Ranks instead of scores: torchmetrics applies a sigmoid to scores, which creates ties.
        ranks = torch.unique(outputs["scores"], return_inverse=True)[1]
        shares = ranks.double() / max(1, int(ranks.max()))
        pl_module.log("validation_auroc", binary_auroc(shares, outputs["labels"].int()), batch_size=len(batch))
