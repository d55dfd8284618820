"""Feed-forward networks with a config: regression and classification."""

from typing import ClassVar

import torch
from torch import Tensor

from lightning_modules.layers.config import FeedForwardConfig
from lightning_modules.layers.perceptron import MultiLayerPerceptron
from lightning_modules.training.network import Network


class FeedForwardNN(Network):
    """A :class:`MultiLayerPerceptron` as a :class:`Network`: (..., in_features) -> (..., out_features)."""

    Config: ClassVar[type] = FeedForwardConfig
    config: FeedForwardConfig

    def __init__(self, config: FeedForwardConfig) -> None:
        super().__init__(config)
        self.perceptron = MultiLayerPerceptron(
            config.in_features,
            config.hidden,
            config.out_features,
            activation=config.activation,
            norm=config.norm,
            dropout=config.dropout,
            initialization="kaiming_uniform" if config.activation == "relu" else "xavier_uniform",
            residual=config.residual,
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.perceptron(x)


class FeedForwardClassifier(FeedForwardNN):
    """A :class:`FeedForwardNN` whose outputs are the logits of classes."""

    def predict_proba(self, x: Tensor) -> Tensor:
        """(..., in_features) -> probability of each class, (..., classes)."""
        return torch.softmax(self(x), dim=-1)

    def predict(self, x: Tensor) -> Tensor:
        """(..., in_features) -> the most probable class, (...)."""
        return self(x).argmax(dim=-1)
