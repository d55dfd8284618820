"""A classifier that reads several modalities of a listing and bears it when some of them are missing."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lightning_modules.image.image_tower import ImageEncoder, normalize_pixels
from lightning_modules.layers.linear import LinearLayer
from lightning_modules.layers.perceptron import MultiLayerPerceptron
from lightning_modules.product.config import LABEL, Branch, ImageBranch, NumbersBranch, ProductConfig, WordsBranch
from lightning_modules.product.samples import Inputs, Present, ProductBatch
from lightning_modules.product.text_cnn import TextCnn
from lightning_modules.training.labels import masked_label_loss
from lightning_modules.training.network import Network
from lightning_modules.training.settings import OptimizerSettings
from lightning_modules.training.training_module import TrainingModule

Features = dict[str, Tensor]
"""By modality, (B, features)."""


class Product(Network):
    """Each modality's features, or the vector learned for its absence, side by side through dense layers to logits."""

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
            inputs: by modality: pixels (B, 3, S, S) uint8, tokens (B, T) int64 or the
                signed logarithms of numbers (B, F) float32.
            present: by modality: which of the rows have it, (B,) bool; what stands in ``inputs`` for the others is not
                looked at.
        """
        return self.classify(self.encode(inputs), present)

    def encode(self, inputs: Inputs) -> Features:
        """Each modality's features (B, F), also of the rows that lack it."""
        return {name: encoder(inputs[name]) for name, encoder in zip(self.names, self.encoders, strict=True)}

    def classify(self, features: Features, present: Present) -> Tensor:
        """Logits (B, classes) of features of which only those that are present count."""
        known = [
            torch.where(present[name][:, None], features[name], absent)
            for name, absent in zip(self.names, self.absent, strict=True)
        ]
        logits: Tensor = self.fusion(torch.cat(known, dim=1))
        return logits

    def image_encoders(self) -> list[ImageEncoder]:
        """The parts that encode images; their weights may come from a checkpoint."""
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


class ProductModule(TrainingModule):
    """A :class:`Product` that learns from listings whose class is known.

    Args:
        network: what learns.
        optimizer: how.
        smoothing: of the labels, see :func:`lightning_modules.training.labels.masked_label_loss`.
    """

    network: Product

    def __init__(self, network: Product, optimizer: OptimizerSettings, smoothing: float) -> None:
        super().__init__(network, optimizer)
        self.smoothing = smoothing

    def step(self, batch: ProductBatch) -> dict[str, Any]:
        # The views differ in what is present only, so the encoders work once for all of them; the batch norms behind
        # see them together, as one batch, and so learn statistics that do for whole and for incomplete listings.
        features = {name: one.repeat(len(batch.views), 1) for name, one in self.network.encode(batch.inputs).items()}
        present = {name: torch.cat([view[name] for view in batch.views]) for name in features}
        logits, labels = self.network.classify(features, present), batch.labels.repeat(len(batch.views))
        loss = masked_label_loss(logits, labels, self.smoothing)
        return {"loss": loss, "logits": {LABEL: logits}, "labels": {LABEL: labels}}
