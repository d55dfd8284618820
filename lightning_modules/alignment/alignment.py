"""Alignment of several embedding spaces: one projection per space into a shared space."""

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lightning_modules.alignment.config import AlignmentConfig, Space
from lightning_modules.layers.perceptron import MultiLayerPerceptron
from lightning_modules.training.network import Network
from lightning_modules.training.temperature import clamped_scale, make_log_scale

SMALLEST = 1e-6
"""Standard deviation below which a dimension counts as constant."""

Vectors = Mapping[Space, NDArray[np.float32]]
"""Space -> vectors (N, dimensions), one row per listing."""
VectorIds = Mapping[Space, NDArray[np.int64]]
"""Space -> ids of the vectors, int64 (N,): listings with equal ids have identical vectors in the space."""


class Alignment(Network):
    """One projection per space: standardised vectors (B, dimensions) to unit vectors (B, width).

    Trained with the contrastive loss of CLIP (Radford et al. 2021) between all pairs of spaces.
    """

    Config: ClassVar[type] = AlignmentConfig
    config: AlignmentConfig

    def __init__(self, config: AlignmentConfig) -> None:
        super().__init__(config)
        self.spaces = sorted(config.spaces)
        hidden = [] if config.hidden_dim is None else [config.hidden_dim]
        self.projections = nn.ModuleDict(
            {
                space: MultiLayerPerceptron(config.spaces[space], hidden, config.projection_dim, activation="gelu")
                for space in self.spaces
            }
        )
        self.dropout = nn.Dropout(config.dropout)
        self.log_scale = make_log_scale()
        for space in self.spaces:
            self.register_buffer(f"{space}_mean", torch.zeros(config.spaces[space]))
            self.register_buffer(f"{space}_deviation", torch.ones(config.spaces[space]))

    def fit_standardization(self, vectors: Vectors) -> Self:
        """Set mean and standard deviation of each dimension from these vectors; returns the network itself."""
        for space in self.spaces:
            deviation = vectors[space].std(axis=0)
            deviation[deviation < SMALLEST] = 1
            getattr(self, f"{space}_mean").copy_(torch.from_numpy(vectors[space].mean(axis=0)))
            getattr(self, f"{space}_deviation").copy_(torch.from_numpy(deviation))
        return self

    def forward(self, vectors: Mapping[Space, Tensor]) -> dict[Space, Tensor]:
        """Space -> (B, dimensions) to space -> unit vectors (B, width)."""
        return {space: self._project(space, values) for space, values in vectors.items()}

    def _project(self, space: Space, vectors: Tensor) -> Tensor:
        standard = (vectors - getattr(self, f"{space}_mean")) / getattr(self, f"{space}_deviation")
        return functional.normalize(self.projections[space](self.dropout(standard)).float(), dim=-1)

    def scale(self) -> Tensor:
        """1 / temperature, a trained scalar in (0, 100]."""
        return clamped_scale(self.log_scale)

    @torch.inference_mode()
    def embed(self, vectors: Vectors) -> dict[Space, NDArray[np.float32]]:
        """As :meth:`forward`, from and to arrays; the network must be in evaluation mode."""
        tensors = {space: torch.from_numpy(values).to(self.device) for space, values in vectors.items()}
        return {space: embeddings.cpu().numpy() for space, embeddings in self(tensors).items()}
