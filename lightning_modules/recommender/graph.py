"""The recommender network: node embeddings whose dot products are the logits of edges."""

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
    """A stack of graph convolutions with batch norm, ReLU and dropout between them: (N, F) -> (N, D).

    GraphSAGE (Hamilton, Ying and Leskovec 2017): ``W1 x_i + W2 aggregate(x_j for neighbours j)``. Graph attention
    (Veličković et al. 2018): ``sum_j a_ij W x_j + V x_i`` over the node and its neighbours, with attention weights
    ``a_ij``.

    An optional skip convolution maps features to embeddings directly (wide and deep: Cheng et al. 2016). Its output is
    concatenated and scaled so that the logit of an edge is the mean of both parts' logits.
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
        """Node features to embeddings.

        Args:
            features: (N, F).
            edges: source and target indices of directed edges, (2, E).
            nodes: indices of the nodes in the whole graph, (N,), which select the rows of the node embedding table;
                None: the nodes of the table come first.

        Returns:
            Embeddings (N, D), where D is the last width plus the width of the skip convolution.
        """
        first = functional.dropout(
            self._append_node_embeddings(features, nodes), self.config.feature_dropout, self.training
        )
        hidden, edges = first, self._order_edges(edges)
        for number, layer in enumerate(self.layers):
            hidden = layer(hidden, edges)
            if number < len(self.norms):
                hidden = functional.relu(self.norms[number](hidden))
                hidden = functional.dropout(hidden, self.config.dropout, self.training)
        return hidden if self.shallow is None else torch.cat([hidden, self.shallow(first, edges)], dim=1) / 2**0.5

    def parts(self, embeddings: Tensor) -> tuple[Tensor, ...]:
        """Split embeddings (N, D) into those of the layers (N, last width) and of the skip convolution, if any."""
        widths = [width for width in (self.config.hidden_dims[-1], self.config.skip_connection_dim) if width]
        return (embeddings * len(widths) ** 0.5).split(widths, dim=1)

    def _append_node_embeddings(self, features: Tensor, nodes: Tensor | None) -> Tensor:
        if self.learned is None:
            return features
        if nodes is None:
            own = functional.pad(self.learned.weight, (0, 0, 0, len(features) - self.config.nodes))
        else:
            own = self.learned(nodes)
        return torch.cat([features, own], dim=1)

    def _order_edges(self, edges: Tensor) -> Tensor:
        """Sort edges by target, which the LSTM needs, and keep at most ``neighbours`` edges per target.

        In training the order of neighbours is random, because an LSTM would otherwise fit to a fixed order.
        """
        if isinstance(self.config.convolution, Gat):
            return edges
        if self.training:
            edges = edges[:, torch.randperm(edges.shape[1], device=edges.device)]
        edges = edges[:, torch.argsort(edges[1], stable=True)]
        limit = self.config.convolution.neighbours
        if limit is None:
            return edges
        index = torch.arange(edges.shape[1], device=edges.device)
        first = torch.searchsorted(edges[1].contiguous(), edges[1].contiguous())  # index of the target's first edge
        return edges[:, index - first < limit]


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


def edge_logits(embeddings: Tensor, pairs: Tensor) -> Tensor:
    """Dot products (P,) of embeddings (N, D) for pairs of nodes (P, 2)."""
    return (embeddings[pairs[:, 0]] * embeddings[pairs[:, 1]]).sum(dim=1)


def _convolution(config: GraphConfig, before: int, after: int) -> nn.Module:
    kind = config.convolution
    if isinstance(kind, Gat):
        if after % kind.heads:
            raise ValueError(f"convolution.heads: {kind.heads} does not divide the width {after}")
        return GATConv(before, after // kind.heads, heads=kind.heads, negative_slope=kind.negative_slope, residual=True)
    if kind.aggregator == "lstm":
        return SAGEConv(before, after, aggr=LstmAggregation(before))
    return SAGEConv(before, after, aggr=kind.aggregator, project=kind.aggregator == "max")
