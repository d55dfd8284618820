"""What is it, what is it made of, where does it go: one image tower with a head for each kind of label."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lightning_modules.image.augmentation import augment, sample_generator
from lightning_modules.image.image_tower import ImageEncoder, normalize_pixels
from lightning_modules.training.data import ShardSample, stack_pixels
from lightning_modules.training.labels import LabelledBatch, encode_labels, masked_label_loss
from lightning_modules.training.network import Network
from lightning_modules.training.settings import AugmentationSettings, OptimizerSettings
from lightning_modules.training.training_module import TrainingModule
from lightning_modules.vision.config import VisionConfig


class Vision(Network):
    """An image tower, dropout, and one linear head for each kind of label."""

    Config: ClassVar[type] = VisionConfig
    config: VisionConfig

    def __init__(self, config: VisionConfig) -> None:
        super().__init__(config)
        self.image = ImageEncoder(config.image, config.image_size)
        self.dropout = nn.Dropout(config.dropout)
        self.heads = nn.ModuleDict(
            {head: nn.Linear(self.image.width, len(classes)) for head, classes in config.heads.items()}
        )

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """Pixels (B, 3, S, S) as uint8 -> logits (B, classes) for each kind of label."""
        seen = self.image(normalize_pixels(pixels, self.config.image_mean, self.config.image_std))
        features = self.dropout(seen)  # (B, width), the same for all heads
        return {head: layer(features) for head, layer in self.heads.items()}


class VisionModule(TrainingModule):
    """A :class:`Vision` that learns from images whose labels are known, all of them or some.

    Args:
        network: what learns.
        optimizer: how.
        weights: of each head's loss in the sum.
        smoothing: of the labels, see :func:`lightning_modules.training.labels.masked_label_loss`.
    """

    network: Vision

    def __init__(
        self, network: Vision, optimizer: OptimizerSettings, weights: Mapping[str, float], smoothing: float
    ) -> None:
        super().__init__(network, optimizer)
        self.weights, self.smoothing = dict(weights), smoothing

    def step(self, batch: LabelledBatch) -> dict[str, Any]:
        logits = self.network(batch.pixels)
        losses = [
            self.weights[head] * masked_label_loss(logits[head], batch.labels[head], self.smoothing) for head in logits
        ]
        return {"loss": torch.stack(losses).sum(), "logits": logits, "labels": batch.labels}


class LabelledCollate:
    """Augmented images in training, plain ones otherwise, with the ids of their labels.

    Args:
        heads: kind of label -> its classes.
        augmentation: of training images.
        seed: of the drawing.
    """

    def __init__(self, heads: Mapping[str, Sequence[str]], augmentation: AugmentationSettings, seed: int) -> None:
        self.heads, self.augmentation, self.seed = heads, augmentation, seed

    def __call__(self, samples: Sequence[ShardSample], epoch: int | None) -> LabelledBatch:
        images = [sample.image for sample in samples]
        if epoch is not None:
            images = [
                augment(sample.image, "", self.augmentation, sample_generator(sample.key, epoch, self.seed))
                for sample in samples
            ]
        rows = [sample.row for sample in samples]
        labels = {head: encode_labels(rows, head, classes) for head, classes in self.heads.items()}
        return LabelledBatch(stack_pixels(images), labels)
