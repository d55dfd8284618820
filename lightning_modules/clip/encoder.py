"""Inference with a trained CLIP: images and texts to unit vectors."""

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
from lightning_modules.training.files import read_tokenizer
from lightning_modules.training.inference import iterate_batches, prepare_for_inference
from lightning_modules.training.shards import stack_pixels

TOKENIZER_FILE = "tokenizer.json"


class ClipEncoder:
    """Embeds images and texts in batches of constant size, so that equal input gives equal bytes.

    Args:
        network: in evaluation mode.
        tokenizer: adds start and end tokens, truncates and pads.
    """

    def __init__(self, network: Clip, tokenizer: Tokenizer) -> None:
        self.network, self.tokenizer = network, tokenizer

    @classmethod
    def from_pretrained(cls, folder: Path, threads: int) -> Self:
        """Load config, weights and ``tokenizer.json`` of a folder, onto a GPU if there is one.

        Args:
            folder: output of stage ``clip``, or a released model.
            threads: CPU threads of this process.

        Raises:
            FileNotFoundError: a file is missing.
        """
        network = prepare_for_inference(Clip.from_pretrained(folder), threads)
        return cls(network, read_tokenizer(folder / TOKENIZER_FILE))

    @property
    def config(self) -> ClipConfig:
        """Config of the network; ``image_size`` and ``resize_mode`` define the preparation of images."""
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
        """Texts of any length -> unit vectors (N, embedding); texts are truncated to the context."""
        parts = [
            self.network.encode_text(encode_texts(self.tokenizer, batch).to(self.network.device)).cpu().numpy()
            for batch in iterate_batches(texts)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.config.projection_dim), np.float32)
