"""The product classifier: several modalities of a listing, any of which can be missing."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from lightning_modules.image.image_tower import ImageEncoder, normalize_pixels
from lightning_modules.layers.linear import LinearLayer
from lightning_modules.layers.perceptron import MultiLayerPerceptron
from lightning_modules.product.config import Branch, ImageBranch, NumbersBranch, ProductConfig, WordsBranch
from lightning_modules.product.samples import Inputs, Present
from lightning_modules.product.text_cnn import TextCnn
from lightning_modules.training.network import Network

Features = dict[str, Tensor]
"""Modality -> (B, features)."""


class Product(Network):
    """Late fusion: ``MLP(concat(f_1(x_1), ..., f_M(x_M)))``, logits (B, classes) from M modalities.

    A missing modality's features are replaced by a trained vector.
    """

    Config: ClassVar[type] = ProductConfig
    config: ProductConfig

    def __init__(self, config: ProductConfig) -> None:
        super().__init__(config)
        self.names = sorted(config.modalities)
        branches = [config.modalities[name] for name in self.names]
        self.encoders = nn.ModuleList(_encoder(branch, config) for branch in branches)
        self.absent = nn.ParameterList(torch.zeros(branch.features) for branch in branches)
        self.fusion = MultiLayerPerceptron(
            sum(branch.features for branch in branches),
            config.fusion.hidden_dims,
            len(config.classes),
            activation="relu",
            norm="batch",
            dropout=config.fusion.dropout,
        )

    def forward(self, inputs: Inputs, present: Present) -> Tensor:
        """Logits (B, classes).

        Args:
            inputs: modality -> pixels (B, 3, S, S) uint8, tokens (B, T) int64 or signed logarithms of numbers (B, F)
                float32.
            present: modality -> True for rows with data, bool (B,); the inputs of other rows are ignored.
        """
        return self.classify(self.encode(inputs), present)

    def encode(self, inputs: Inputs) -> Features:
        """Modality -> features (B, F) of all rows, including rows without data."""
        return {name: encoder(inputs[name]) for name, encoder in zip(self.names, self.encoders, strict=True)}

    def classify(self, features: Features, present: Present) -> Tensor:
        """Logits (B, classes); features of missing modalities are replaced by trained vectors."""
        known = [
            torch.where(present[name][:, None], features[name], absent)
            for name, absent in zip(self.names, self.absent, strict=True)
        ]
        logits: Tensor = self.fusion(torch.cat(known, dim=1))
        return logits

    def image_encoders(self) -> list[ImageEncoder]:
        """Image towers, whose weights may come from a checkpoint."""
        return [encoder.image for encoder in self.encoders if isinstance(encoder, ImageBranchEncoder)]


class ImageBranchEncoder(nn.Module):
    """Pixels (B, 3, S, S) as uint8 -> (B, features)."""

    def __init__(self, branch: ImageBranch, config: ProductConfig) -> None:
        super().__init__()
        assert branch.image is not None
        self.mean, self.std = config.image_mean, config.image_std
        self.image = ImageEncoder(branch.image, config.image_size)
        self.dense = _dense(self.image.width, branch)

    def forward(self, pixels: Tensor) -> Tensor:
        features: Tensor = self.dense(self.image(normalize_pixels(pixels, self.mean, self.std)))
        return features


class NumbersEncoder(nn.Module):
    """Signed logarithms of numbers (B, F) -> (B, features)."""

    def __init__(self, branch: NumbersBranch, config: ProductConfig) -> None:
        super().__init__()
        self.scaling = [config.scaling[field] for field in branch.fields]
        self.dense = _dense(len(branch.fields), branch)

    def forward(self, sizes: Tensor) -> Tensor:
        means, stds = sizes.new_tensor(self.scaling).T  # (F,) each
        features: Tensor = self.dense((sizes - means) / stds)
        return features


def _encoder(branch: Branch, config: ProductConfig) -> nn.Module:
    match branch:
        case WordsBranch():
            return TextCnn(branch, config.vocab_size, config.pad_token)
        case ImageBranch():
            return ImageBranchEncoder(branch, config)
        case NumbersBranch():
            return NumbersEncoder(branch, config)


def _dense(width: int, branch: ImageBranch | NumbersBranch) -> LinearLayer:
    return LinearLayer(width, branch.features, activation="relu", norm="batch", dropout=branch.dropout)
