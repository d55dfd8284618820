"""Batches for link prediction: the train edges that a batch predicts send no messages in that batch."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lightning_modules.negatives.negatives import Pairs


@dataclass  # not frozen: Lightning moves its tensors to the device
class LinkBatch:
    """A graph or a subgraph, and pairs of its nodes to classify."""

    features: Tensor
    """Node features, (N, F)."""
    edges: Tensor
    """Message edges as source and target indices, (2, E)."""
    pairs: Tensor
    """Pairs to classify, (P, 2). No positive pair is among the message edges, in either direction."""
    labels: Tensor
    """1 for an edge, 0 for a negative, float32 (P,)."""
    nodes: Tensor | None = None
    """Indices of the nodes in the whole graph, (N,); None: all nodes, in order."""

    def __len__(self) -> int:
        return len(self.pairs)


def add_reverse_edges(pairs: Pairs) -> Tensor:
    """Pairs (M, 2) as directed edges (2, 2 M), each in both directions."""
    return torch.from_numpy(np.concatenate([pairs, pairs[:, ::-1]]).T.copy())
