"""Training of the image classifier."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from lightning_modules.image.augmentation import augment, sample_generator
from lightning_modules.training.labels import LabelledBatch, encode_labels, masked_label_loss
from lightning_modules.training.settings import AugmentationSettings, OptimizerSettings
from lightning_modules.training.shards import ShardSample, stack_pixels
from lightning_modules.training.training_module import TrainingModule
from lightning_modules.vision.vision import Vision


class VisionModule(TrainingModule):
    """Trains a :class:`Vision` on images with some or all labels, by the weighted sum of the heads' losses.

    Args:
        network: to train.
        optimizer: settings of the optimiser.
        weights: head -> weight of its loss.
        smoothing: label smoothing, see :func:`lightning_modules.training.labels.masked_label_loss`.
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
    """Collates images and label ids; images are augmented in training and unchanged otherwise.

    Args:
        heads: kind of label -> its classes.
        augmentation: settings for training images.
        seed: of the augmentation.
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
