"""Data augmentation of training samples, from a generator that the caller seeds."""

import hashlib
import re

import numpy as np
from numpy.typing import NDArray

from lightning_modules.training.settings import AugmentationSettings

SIDED = re.compile(r"\b(left|right)", re.IGNORECASE)
"""English words that are wrong for a flipped image; disable flips for texts in other languages."""

Image = NDArray[np.uint8]
"""Red, green and blue, (S, S, 3)."""


def augment(image: Image, words: str, settings: AugmentationSettings, random: np.random.Generator) -> Image:
    """Shift, flip, brighten and change the contrast of an image (S, S, 3); returns a copy.

    The number of random draws is constant, so disabling one change leaves the others unchanged.
    """
    across, down, mirror, brightness, contrast = random.uniform(-1, 1, size=5)
    reach = settings.translate * len(image)  # pixels
    changed = _shift(image, round(across * reach), round(down * reach))
    if settings.horizontal_flip and mirror > 0 and not SIDED.search(words):
        changed = changed[:, ::-1]
    if settings.jitter:
        changed = _light(changed, 1 + settings.jitter * brightness, 1 + settings.jitter * contrast)
    return np.ascontiguousarray(changed)


def sample_generator(key: str, epoch: int, seed: int) -> np.random.Generator:
    """Random generator of one sample in one epoch, independent of batches and processes."""
    digest = hashlib.sha256(f"{seed} {epoch} {key}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16])))


def drop_words(text: str, share: float, random: np.random.Generator) -> str:
    """Drop each word of a text with probability ``share``; at least one word remains.

    Without dropped words a text encoder embeds short texts such as "a lamp" badly.
    """
    words = text.split()
    chances = random.random(len(words))
    kept = [word for word, chance in zip(words, chances, strict=True) if chance >= share]
    return " ".join(kept or words[int(chances.argmax()) :][:1])


def _shift(image: Image, across: int, down: int) -> Image:
    """Move the image by whole pixels; border pixels are repeated."""
    rows = np.clip(np.arange(image.shape[0]) - down, 0, image.shape[0] - 1)
    columns = np.clip(np.arange(image.shape[1]) - across, 0, image.shape[1] - 1)
    return image.take(rows, axis=0).take(columns, axis=1)


def _light(image: Image, brightness: float, contrast: float) -> Image:
    mean, values = image.mean(), np.arange(256)
    changed = np.clip(((values - mean) * contrast + mean) * brightness, 0, 255).round().astype(np.uint8)
    # A lookup table of 256 values is much faster than arithmetic on all pixels.
    return np.frombuffer(image.tobytes().translate(changed.tobytes()), np.uint8).reshape(image.shape)
