"""The recommender network: node embeddings whose dot products are the logits of edges."""

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import GATConv, SAGEConv

from lightning_modules.recommender.config import Gat, GraphConfig
from lightning_modules.recommender.lstm_aggregation import LstmAggregation
from lightning_modules.training.network import Network


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
