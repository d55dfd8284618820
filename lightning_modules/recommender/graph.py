"""What can become what: embeddings of a graph's nodes whose dot products tell which edges there are."""

from itertools import pairwise
from typing import Any, ClassVar

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import GATConv, SAGEConv
from torchmetrics.functional.classification import binary_auroc

from lightning_modules.recommender.config import Gat, GraphConfig
from lightning_modules.recommender.links import LinkBatch
from lightning_modules.recommender.lstm_aggregation import LstmAggregation
from lightning_modules.training.network import Network
from lightning_modules.training.settings import OptimizerSettings
from lightning_modules.training.training_module import TrainingModule


class GraphRecommender(Network):
    """Layers of one kind of graph convolution; between them batch norm, ReLU and dropout.

    One more may lead straight from features to embeddings (wide and deep: Cheng et al. 2016): the embeddings of both
    stand side by side, scaled so that the logit of an edge is the mean of both.

    GraphSAGE: ``W1 x + W2 aggregate(neighbours' x)``, that is W times both joined, as its paper has it. Graph
    attention: a sum over the node and its neighbours, weighted by attention, plus the node itself through a matrix.
    """

    Config: ClassVar[type] = GraphConfig
    config: GraphConfig

    def __init__(self, config: GraphConfig) -> None:
        super().__init__(config)
        widths = (config.features + config.node_embedding_dim, *config.hidden_dims)
        self.layers = nn.ModuleList(_convolution(config, before, after) for before, after in pairwise(widths))
        self.shallow = (
            _convolution(config, widths[0], config.skip_connection_dim) if config.skip_connection_dim else None
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for width in config.hidden_dims[:-1])
        self.learned = nn.Embedding(config.nodes, config.node_embedding_dim) if config.node_embedding_dim else None
        if self.learned is not None:
            nn.init.normal_(self.learned.weight, std=config.node_embedding_dim**-0.5)

    def forward(self, features: Tensor, edges: Tensor, nodes: Tensor | None = None) -> Tensor:
        """Features (N, F) and directed edges (2, E), from whom to whom -> embeddings (N, D).

        D is the last width and the shallow one's. ``nodes`` (N,) tells which nodes have learned features; without it
        they are the first.
        """
        first = functional.dropout(self._with_learned(features, nodes), self.config.feature_dropout, self.training)
        hidden, edges = first, self._ordered(edges)
        for number, layer in enumerate(self.layers):
            hidden = layer(hidden, edges)
            if number < len(self.norms):
                hidden = functional.relu(self.norms[number](hidden))
                hidden = functional.dropout(hidden, self.config.dropout, self.training)
        return hidden if self.shallow is None else torch.cat([hidden, self.shallow(first, edges)], dim=1) / 2**0.5

    def parts(self, embeddings: Tensor) -> tuple[Tensor, ...]:
        """Embeddings (N, D) as those of the layers (N, last width) and, where there is one, of the shallow one."""
        widths = [width for width in (self.config.hidden_dims[-1], self.config.skip_connection_dim) if width]
        return (embeddings * len(widths) ** 0.5).split(widths, dim=1)

    def _with_learned(self, features: Tensor, nodes: Tensor | None) -> Tensor:
        if self.learned is None:
            return features
        if nodes is None:
            own = functional.pad(self.learned.weight, (0, 0, 0, len(features) - self.config.nodes))
        else:
            own = self.learned(nodes)
        return torch.cat([features, own], dim=1)

    def _ordered(self, edges: Tensor) -> Tensor:
        """Edges by whom they reach, which the LSTM needs, and no more of them than there may be for a node.

        In training neighbours come in a random order, since an LSTM would learn any other.
        """
        if isinstance(self.config.convolution, Gat):
            return edges
        if self.training:
            edges = edges[:, torch.randperm(edges.shape[1], device=edges.device)]
        edges = edges[:, torch.argsort(edges[1], stable=True)]
        most = self.config.convolution.neighbours
        if most is None:
            return edges
        place = torch.arange(edges.shape[1], device=edges.device)
        first = torch.searchsorted(edges[1].contiguous(), edges[1].contiguous())  # place of the node's first edge
        return edges[:, place - first < most]


class GraphModule(TrainingModule):
    """A :class:`GraphRecommender` that learns to tell edges from pairs that no edge joins.

    Args:
        network: to train.
        optimizer: its settings.
        penalty: on the weights that decay could be on: times half the sum of their squares, beside the loss (L2).
            Unlike AdamW's decay it is scaled as the gradients are, so that what few edges tell of shrinks most.
    """

    network: GraphRecommender

    def __init__(self, network: GraphRecommender, optimizer: OptimizerSettings, penalty: float) -> None:
        super().__init__(network, optimizer)
        self.penalty = penalty

    def step(self, batch: LinkBatch) -> dict[str, Tensor]:
        """Each part of the embeddings has a loss of its own: learned together, one would lean on the other."""
        parts = self.network.parts(self.network(batch.features, batch.edges, batch.nodes))
        scores = [dot_products(part, batch.pairs) for part in parts]
        losses = [functional.binary_cross_entropy_with_logits(each, batch.labels) for each in scores]
        return {"loss": torch.stack(losses).mean(), "scores": torch.stack(scores).mean(dim=0), "labels": batch.labels}

    def training_step(self, batch: LinkBatch, batch_idx: int) -> Tensor:
        return super().training_step(batch, batch_idx) + self.penalty / 2 * self._squares()

    def _squares(self) -> Tensor:
        weights = [each for each in self.network.parameters() if each.ndim >= 2]
        return torch.stack([each.square().sum() for each in weights]).sum()


class LinkAuc(Callback):
    """Logs ``validation_auc`` after each epoch: how often an edge scores higher than a pair that is none."""

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        ranks = torch.unique(outputs["scores"], return_inverse=True)[1]  # torchmetrics would squash scores into ties
        shares = ranks.double() / max(1, int(ranks.max()))
        pl_module.log("validation_auc", binary_auroc(shares, outputs["labels"].int()), batch_size=len(batch))


def dot_products(embeddings: Tensor, pairs: Tensor) -> Tensor:
    """Logits of an edge for pairs of nodes (P, 2), from embeddings (N, D): (P,)."""
    return (embeddings[pairs[:, 0]] * embeddings[pairs[:, 1]]).sum(dim=1)


def _convolution(config: GraphConfig, before: int, after: int) -> nn.Module:
    kind = config.convolution
    if isinstance(kind, Gat):
        if after % kind.heads:
            raise ValueError(f"a width of {after} is no multiple of {kind.heads} heads")
        return GATConv(before, after // kind.heads, heads=kind.heads, negative_slope=kind.negative_slope, residual=True)
    if kind.aggregator == "lstm":
        return SAGEConv(before, after, aggr=LstmAggregation(before))
    return SAGEConv(before, after, aggr=kind.aggregator, project=kind.aggregator == "max")
