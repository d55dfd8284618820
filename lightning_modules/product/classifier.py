"""Inference with a trained :class:`Product`: images and rows to probabilities."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from lightning_modules.image.augmentation import Image
from lightning_modules.product.config import ProductConfig
from lightning_modules.product.product import Product
from lightning_modules.product.samples import ProductReader
from lightning_modules.training.files import read_tokenizer
from lightning_modules.training.inference import iterate_batches, prepare_for_inference
from lightning_modules.training.shards import Row

TOKENIZER_FILE = "tokenizer.json"


class ProductClassifier:
    """Classifies listings in batches of constant size, so that equal input gives equal bytes.

    Args:
        network: in evaluation mode.
        tokenizer: required by a network that reads text; adds no special tokens, does not truncate or pad.
    """

    def __init__(self, network: Product, tokenizer: Tokenizer | None) -> None:
        self.network = network
        self.reader = ProductReader(network.config, tokenizer)

    @classmethod
    def from_pretrained(cls, folder: Path, threads: int) -> Self:
        """Load config, weights and, for text, ``tokenizer.json`` of a folder, onto a GPU if there is one.

        Args:
            folder: output of stage ``product``, its ``alone/<modality>``, or a released model.
            threads: CPU threads of this process.

        Raises:
            FileNotFoundError: a file is missing.
        """
        network = prepare_for_inference(Product.from_pretrained(folder), threads)
        tokenizer = read_tokenizer(folder / TOKENIZER_FILE) if network.config.reads_words else None
        return cls(network, tokenizer)

    @property
    def config(self) -> ProductConfig:
        """Config of the network: ``classes`` in the order of the probabilities, ``modalities``, the image format."""
        return self.network.config

    @torch.inference_mode()
    def probabilities(
        self, samples: Iterable[tuple[Image | None, Row]], without: Collection[str] = ()
    ) -> NDArray[np.float32]:
        """Class probabilities (N, classes).

        Args:
            samples: RGB image (image_size, image_size, 3) or None, and the row of its listing. Modalities without data
                in a listing are missing.
            without: modalities to ignore in all listings.

        Raises:
            ValueError: ``without`` contains an unknown modality.
        """
        unknown = set(without) - set(self.config.modalities)
        if unknown:
            known = ", ".join(sorted(self.config.modalities))
            raise ValueError(f"unknown modality {', '.join(sorted(unknown))}; use some of {known}")
        parts = [np.zeros((0, len(self.config.classes)), np.float32)]
        for batch in iterate_batches(samples):
            images, rows = zip(*batch, strict=True)
            inputs, present = self.reader(images, rows, without)
            logits = self.network(self._to_device(inputs), self._to_device(present))
            parts.append(logits.float().softmax(dim=-1).cpu().numpy())
        return np.concatenate(parts)

    def _to_device(self, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: tensor.to(self.network.device) for name, tensor in tensors.items()}
