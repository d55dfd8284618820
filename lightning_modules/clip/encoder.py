"""A trained CLIP as two functions: images and texts to unit vectors."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from lightning_modules.clip.clip import Clip
from lightning_modules.clip.config import ClipConfig
from lightning_modules.clip.pairs import encode_texts
from lightning_modules.training.data import stack_pixels
from lightning_modules.training.inference import iterate_batches, prepare_for_inference

TOKENIZER_FILE = "tokenizer.json"


class ClipEncoder:
    """Images and texts to unit vectors of one space, in batches of one size: equal input gives equal bytes.

    Args:
        network: in evaluation mode.
        tokenizer: frames, cuts and pads by itself.
    """

    def __init__(self, network: Clip, tokenizer: Tokenizer) -> None:
        self.network, self.tokenizer = network, tokenizer

    @classmethod
    def from_pretrained(cls, folder: Path, threads: int) -> Self:
        """The model in ``folder`` (config, weights and ``tokenizer.json``), on a GPU if there is one.

        Args:
            folder: what stage ``clip`` writes, or a released model.
            threads: of this process, from now on.
        """
        network = prepare_for_inference(Clip.from_pretrained(folder), threads)
        return cls(network, Tokenizer.from_file(str(folder / TOKENIZER_FILE)))

    @property
    def config(self) -> ClipConfig:
        """Of the network; ``image_size`` and ``resize_mode`` say how images must be prepared."""
        return self.network.config

    @torch.inference_mode()
    def images(self, images: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """RGB images (image_size, image_size, 3) -> unit vectors (N, embedding)."""
        parts = [
            self.network.encode_image(stack_pixels(batch).to(self.network.device)).cpu().numpy()
            for batch in iterate_batches(images)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.config.projection_dim), np.float32)

    @torch.inference_mode()
    def texts(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """Texts of any length -> unit vectors (N, embedding); what does not fit the context is cut off."""
        parts = [
            self.network.encode_text(encode_texts(self.tokenizer, batch).to(self.network.device)).cpu().numpy()
            for batch in iterate_batches(texts)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.config.projection_dim), np.float32)
