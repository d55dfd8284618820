"""A trained :class:`Product` as one function: images and rows to probabilities."""

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
from lightning_modules.training.data import Row
from lightning_modules.training.inference import iterate_batches, prepare_for_inference

TOKENIZER_FILE = "tokenizer.json"


class ProductClassifier:
    """Listings to the probabilities of their classes, in batches of one size: equal input gives equal bytes.

    Args:
        network: in evaluation mode.
        tokenizer: needed where the network reads words; neither frames, cuts nor pads.
    """

    def __init__(self, network: Product, tokenizer: Tokenizer | None) -> None:
        self.network = network
        self.reader = ProductReader(network.config, tokenizer)

    @classmethod
    def from_pretrained(cls, folder: Path, threads: int) -> Self:
        """The model in ``folder`` (config, weights and, for words, ``tokenizer.json``), on a GPU if there is one.

        Args:
            folder: what stage ``product`` writes, one of its ``alone/<modality>``, or a released model.
            threads: of this process, from now on.
        """
        network = prepare_for_inference(Product.from_pretrained(folder), threads)
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE)) if network.config.reads_words else None
        return cls(network, tokenizer)

    @property
    def config(self) -> ProductConfig:
        """Of the network: ``classes`` in their order, ``modalities`` by name, how images must be prepared."""
        return self.network.config

    @torch.inference_mode()
    def probabilities(
        self, samples: Iterable[tuple[Image | None, Row]], without: Collection[str] = ()
    ) -> NDArray[np.float32]:
        """Probabilities (N, classes), rows that sum to 1.

        Args:
            samples: RGB images (image_size, image_size, 3), or None, and the listings that they belong to. What a
                listing has not is missing by itself.
            without: modalities to be taken for missing in all listings.

        Raises:
            ValueError: ``without`` names a modality that the network does not have.
        """
        if unknown := set(without) - set(self.config.modalities):
            raise ValueError(
                f"no such modality: {', '.join(sorted(unknown))}; {', '.join(sorted(self.config.modalities))}"
            )
        parts = [np.zeros((0, len(self.config.classes)), np.float32)]
        for batch in iterate_batches(samples):
            images, rows = zip(*batch, strict=True)
            inputs, present = self.reader(images, rows, without)
            logits = self.network(self._placed(inputs), self._placed(present))
            parts.append(logits.float().softmax(dim=-1).cpu().numpy())
        return np.concatenate(parts)

    def _placed(self, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: tensor.to(self.network.device) for name, tensor in tensors.items()}
