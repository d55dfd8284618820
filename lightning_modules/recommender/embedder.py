"""A trained recommender as a function of a graph."""

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
    """Embeddings of all nodes at once."""

    def __init__(self, network: GraphRecommender) -> None:
        self.network = network.eval()

    @classmethod
    def from_pretrained(cls, folder: Path, threads: int) -> Self:
        """The network in a folder, on a GPU if there is one; ``threads`` are this process's from now on."""
        return cls(prepare_for_inference(GraphRecommender.from_pretrained(folder), threads))

    @torch.inference_mode()
    def __call__(self, features: NDArray[np.float32], messages: Pairs, heard: Pairs) -> NDArray[np.float32]:
        """Features (N, F) -> embeddings (N, D).

        Args:
            features: of the nodes.
            messages: pairs that tell of each other.
            heard: pairs whose first tells the second of itself and is told nothing.
        """
        device = self.network.device
        edges = torch.cat([add_reverse_edges(messages), torch.from_numpy(heard.T.copy())], dim=1)
        return self.network(torch.from_numpy(features).to(device), edges.to(device)).cpu().numpy()
