"""A trained :class:`Vision` as one function: images to probabilities."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from lightning_modules.image.image_tower import normalize_pixels
from lightning_modules.training.data import stack_pixels
from lightning_modules.training.inference import iterate_batches, prepare_for_inference
from lightning_modules.vision.config import VisionConfig
from lightning_modules.vision.vision import Vision


class VisionClassifier:
    """Images to the probabilities of every kind of label, in batches of one size: equal input gives equal bytes.

    Args:
        network: in evaluation mode.
    """

    def __init__(self, network: Vision) -> None:
        self.network = network

    @classmethod
    def from_pretrained(cls, folder: Path, threads: int) -> Self:
        """The model in ``folder`` (config and weights), on a GPU if there is one.

        Args:
            folder: what stage ``vision`` writes, or a released model.
            threads: of this process, from now on.
        """
        return cls(prepare_for_inference(Vision.from_pretrained(folder), threads))

    @property
    def config(self) -> VisionConfig:
        """Of the network: ``heads`` names the classes; images are prepared by ``image_size`` and ``resize_mode``."""
        return self.network.config

    @torch.inference_mode()
    def probabilities(self, images: Iterable[NDArray[np.uint8]]) -> dict[str, NDArray[np.float32]]:
        """RGB images (image_size, image_size, 3) -> for each kind of label (N, classes), rows that sum to 1."""
        parts: dict[str, list[NDArray[np.float32]]] = {
            head: [np.zeros((0, len(classes)), np.float32)] for head, classes in self.config.heads.items()
        }
        for batch in iterate_batches(images):
            for head, logits in self.network(stack_pixels(batch).to(self.network.device)).items():
                parts[head].append(logits.float().softmax(dim=-1).cpu().numpy())
        return {head: np.concatenate(found) for head, found in parts.items()}

    @torch.inference_mode()
    def features(self, images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """RGB images (image_size, image_size, 3) -> what the heads see of them, (N, width of the image tower)."""
        tower, config = self.network.image, self.config
        parts = [np.zeros((0, tower.width), np.float32)]
        for batch in iterate_batches(images):
            pixels = normalize_pixels(stack_pixels(batch).to(self.network.device), config.image_mean, config.image_std)
            parts.append(tower(pixels).float().cpu().numpy())
        return np.concatenate(parts)
