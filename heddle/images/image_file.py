"""A picture that somebody hands in, as a model takes it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heddle.images.resize import Fit, PictureError, decode, fit


def read_picture(path: Path, size: int, how: Fit) -> NDArray[np.uint8]:
    """The file as `shards` prepares pictures, but for the JPEG: first frame, upright, RGB, (size, size, 3).

    Raises:
        PictureError: there is no such file, or it is no picture that can be read to its end; the message names it.
    """
    if not path.is_file():
        raise PictureError(f"{path}: {'a folder, not a picture' if path.is_dir() else 'no such file'}")
    try:
        picture = decode(path.read_bytes(), size=size, how=how)
    except (PictureError, OSError) as error:
        raise PictureError(f"{path}: not a picture that can be read: {error}") from error
    return np.asarray(fit(picture, size, how))


def is_file(words: str) -> bool:
    """Whether what was asked about is a file's path rather than words."""
    try:
        return Path(words).is_file()
    except (OSError, ValueError):  # longer than a file's name can be, or with characters that none can have
        return False
