"""An image that somebody hands in, as a model takes it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heddle.images.resize import Fit, ImageDecodeError, decode, fit


def read_image(path: Path, size: int, how: Fit) -> NDArray[np.uint8]:
    """The file as `shards` prepares images, but for the JPEG: first frame, upright, RGB, (size, size, 3).

    Raises:
        ImageDecodeError: there is no such file, or it is no image that can be read to its end; the message names it.
    """
    if not path.is_file():
        raise ImageDecodeError(f"{path}: {'a folder, not an image' if path.is_dir() else 'no such file'}")
    try:
        image = decode(path.read_bytes(), size=size, how=how)
    except (ImageDecodeError, OSError) as error:
        raise ImageDecodeError(f"{path}: not an image that can be read: {error}") from error
    return np.asarray(fit(image, size, how))


def is_file(words: str) -> bool:
    """Whether what was asked about is a file's path rather than words."""
    try:
        return Path(words).is_file()
    except (OSError, ValueError):  # longer than a file's name can be, or with characters that none can have
        return False
