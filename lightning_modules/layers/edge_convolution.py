"""A graph convolution whose filter depends on the features of the edge."""

import torch
from torch import Tensor
from torch_geometric.nn import MessagePassing

from lightning_modules.layers.linear import LinearLayer


class EdgeConvolution(MessagePassing):
    """``x_i' = W x_i + b + mean_j((1 + G e_ji) * (V x_j) + U e_ji)`` over the edges (j, i): (N, nodes), unchanged.

    The edge's features select a diagonal filter and a shift; the matrix V is shared by all edges. A full matrix per
    edge (Simonovsky and Komodakis 2017) would need nodes² · edges parameters per layer. A node without incoming edges
    gets ``W x_i + b``. Sources: Simonovsky and Komodakis 2017, Dynamic Edge-Conditioned Filters in Convolutional Neural
    Networks on Graphs, equation 1; Brockschmidt 2020, GNN-FiLM, equation 5, for the diagonal.

    Args:
        nodes: width of a node's state.
        edges: width of an edge's features.
    """

    def __init__(self, nodes: int, edges: int) -> None:
        super().__init__(aggr="mean")
        self.own = LinearLayer(nodes, nodes)
        self.told = LinearLayer(nodes, nodes, bias=False)
        self.scale = LinearLayer(edges, nodes, bias=False)
        self.shift = LinearLayer(edges, nodes, bias=False)

    def forward(self, states: Tensor, edges: Tensor, features: Tensor) -> Tensor:
        """
        Args:
            states: of the nodes, (N, nodes).
            edges: source and target indices, (2, E); E can be 0.
            features: of the edges, (E, edges).
        """
        messages: Tensor = self.propagate(
            edges, x=self.told(states), scale=self.scale(features), shift=self.shift(features)
        )
        return self.own(states) + messages

    def message(self, x_j: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Messages of the edges, (E, nodes); all arguments have this shape."""
        return torch.addcmul(x_j + shift, scale, x_j)
