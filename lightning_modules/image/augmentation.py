"""Light changes to training samples, drawn from a generator that the caller seeds."""

import hashlib
import re

import numpy as np
from numpy.typing import NDArray

from lightning_modules.training.settings import AugmentationSettings

SIDED = re.compile(r"\b(left|right)", re.IGNORECASE)
"""English words that a mirrored image would turn into a lie; for other languages turn ``mirror`` off."""

Image = NDArray[np.uint8]
"""Red, green and blue, (S, S, 3)."""


def augment(image: Image, words: str, settings: AugmentationSettings, random: np.random.Generator) -> Image:
    """A shifted, perhaps mirrored and slightly re-lit copy of ``image``, of the same shape.

    The same numbers are drawn whatever the settings and words, so that switching one change off leaves the others.
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
    """The generator of one sample in one epoch: what it draws depends on nothing else."""
    digest = hashlib.sha256(f"{seed} {epoch} {key}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16])))


def drop_words(text: str, share: float, random: np.random.Generator) -> str:
    """``text`` with each word left out with probability ``share``; one word stays at least.

    A text encoder that has only seen full sentences places a bare "a lamp" badly.
    """
    words = text.split()
    chances = random.random(len(words))
    kept = [word for word, chance in zip(words, chances, strict=True) if chance >= share]
    return " ".join(kept or words[int(chances.argmax()) :][:1])


def _shift(image: Image, across: int, down: int) -> Image:
    """Move the image by whole pixels; the border is repeated where it runs out."""
    rows = np.clip(np.arange(image.shape[0]) - down, 0, image.shape[0] - 1)
    columns = np.clip(np.arange(image.shape[1]) - across, 0, image.shape[1] - 1)
    return image.take(rows, axis=0).take(columns, axis=1)


def _light(image: Image, brightness: float, contrast: float) -> Image:
    mean, values = image.mean(), np.arange(256)
    changed = np.clip(((values - mean) * contrast + mean) * brightness, 0, 255).round().astype(np.uint8)
    # Of 256 values rather than of each pixel's colours, which are then looked up as fast as bytes can be.
    return np.frombuffer(image.tobytes().translate(changed.tobytes()), np.uint8).reshape(image.shape)
