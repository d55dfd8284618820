"""Inference with a trained recommender network: a graph to node embeddings."""

from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from lightning_modules.negatives.negatives import Pairs
from lightning_modules.recommender.graph import GraphRecommender
from lightning_modules.recommender.links import add_reverse_edges
from lightning_modules.training.inference import prepare_for_inference


class GraphEmbedder:
    """Embeds all nodes of a graph at once.

    Args:
        network: is set to evaluation mode.
    """

    def __init__(self, network: GraphRecommender) -> None:
        self.network = network.eval()

    @classmethod
    def from_pretrained(cls, folder: Path, threads: int) -> Self:
        """Load the network of a folder, onto a GPU if there is one; ``threads`` sets this process's CPU threads."""
        return cls(prepare_for_inference(GraphRecommender.from_pretrained(folder), threads))

    @torch.inference_mode()
    def __call__(
        self, features: NDArray[np.float32], message_edges: Pairs, inductive_edges: Pairs
    ) -> NDArray[np.float32]:
        """Node features (N, F) -> embeddings (N, D).

        Args:
            features: of the nodes, (N, F).
            message_edges: undirected pairs; both nodes send messages, (M, 2).
            inductive_edges: directed pairs from sender to receiver, (L, 2).
        """
        device = self.network.device
        edges = torch.cat([add_reverse_edges(message_edges), torch.from_numpy(inductive_edges.T.copy())], dim=1)
        return self.network(torch.from_numpy(features).to(device), edges.to(device)).cpu().numpy()
