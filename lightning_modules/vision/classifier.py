"""Inference with a trained :class:`Vision`: images to probabilities."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from lightning_modules.image.image_tower import normalize_pixels
from lightning_modules.training.inference import iterate_batches, prepare_for_inference
from lightning_modules.training.shards import stack_pixels
from lightning_modules.vision.config import VisionConfig
from lightning_modules.vision.vision import Vision


class VisionClassifier:
    """Classifies images in batches of constant size, so that equal input gives equal bytes.

    Args:
        network: in evaluation mode.
    """

    def __init__(self, network: Vision) -> None:
        self.network = network

    @classmethod
    def from_pretrained(cls, folder: Path, threads: int) -> Self:
        """Load config and weights of a folder, onto a GPU if there is one.

        Args:
            folder: output of stage ``vision``, or a released model.
            threads: CPU threads of this process.

        Raises:
            FileNotFoundError: a file is missing.
        """
        return cls(prepare_for_inference(Vision.from_pretrained(folder), threads))

    @property
    def config(self) -> VisionConfig:
        """Config of the network: ``heads`` lists the classes, ``image_size`` and ``resize_mode`` the image format."""
        return self.network.config

    @torch.inference_mode()
    def probabilities(self, images: Iterable[NDArray[np.uint8]]) -> dict[str, NDArray[np.float32]]:
        """RGB images (image_size, image_size, 3) -> kind of label -> probabilities (N, classes)."""
        parts: dict[str, list[NDArray[np.float32]]] = {
            head: [np.zeros((0, len(classes)), np.float32)] for head, classes in self.config.heads.items()
        }
        for batch in iterate_batches(images):
            for head, logits in self.network(stack_pixels(batch).to(self.network.device)).items():
                parts[head].append(logits.float().softmax(dim=-1).cpu().numpy())
        return {head: np.concatenate(found) for head, found in parts.items()}

    @torch.inference_mode()
    def features(self, images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """RGB images (image_size, image_size, 3) -> features of the image tower, (N, width)."""
        tower, config = self.network.image, self.config
        parts = [np.zeros((0, tower.width), np.float32)]
        for batch in iterate_batches(images):
            pixels = normalize_pixels(stack_pixels(batch).to(self.network.device), config.image_mean, config.image_std)
            parts.append(tower(pixels).float().cpu().numpy())
        return np.concatenate(parts)
