"""Read a user's image file for a model."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heddle.images.resize import Fit, ImageDecodeError, decode, fit


def read_image(path: Path, size: int, how: Fit) -> NDArray[np.uint8]:
    """Read an image like the stage `shards`, but without JPEG compression.

    Returns:
        First frame, upright, RGB, uint8 (size, size, 3).

    Raises:
        ImageDecodeError: the file does not exist or is no complete image; the message contains the path.
    """
    if not path.is_file():
        raise ImageDecodeError(f"{path}: {'a folder, not an image' if path.is_dir() else 'no such file'}")
    try:
        image = decode(path.read_bytes(), size=size, how=how)
    except (ImageDecodeError, OSError) as error:
        raise ImageDecodeError(f"{path}: not an image that can be read: {error}") from error
    return np.asarray(fit(image, size, how))


def is_file(words: str) -> bool:
    """Return whether a query is the path of a file rather than text."""
    try:
        return Path(words).is_file()
    except (OSError, ValueError):  # the text is too long or contains invalid characters
        return False
