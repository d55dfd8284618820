"""An image file and what is told of it, as the writer reads a listing."""

import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from heddle.images.exif import exif_of
from heddle.images.resize import Fit, decode, fit
from lightning_modules.training.data import Sample
from lightning_modules.writer.samples import Inputs, inputs_of

Shape = tuple[int, Fit]
"""Side of a square image in pixels, and how it was made square."""


class Sized(Protocol):
    """A model's config."""

    @property
    def image_size(self) -> int: ...
    @property
    def resize_mode(self) -> Fit: ...


def shape_of(config: Sized) -> Shape:
    """The shape of the images that a model takes."""
    return config.image_size, config.resize_mode


@dataclass(frozen=True)
class ImageFile:
    """An image as models take it.

    Attributes:
        sha256: of the file's bytes, in hex.
        ratio: width / height of the upright image.
        exif: tag -> value, without GPS, as the catalogue keeps it.
        squares: the image in each shape that was asked for, RGB, (S, S, 3).
    """

    sha256: str
    ratio: float
    exif: Mapping[str, str]
    squares: Mapping[Shape, NDArray[np.uint8]]

    def inputs(self, shape: Shape, told: Mapping[str, Any]) -> Inputs:
        """What a writer reads: as of a listing in the shards with this image and these columns.

        Args:
            shape: of the images that the writer learned from.
            told: columns `context`, `objects` and `relations` of a listing, any of which may be missing.
        """
        row = {**told, "exif": self.exif}
        return inputs_of(Sample(self.sha256, self.squares[shape], row), self.ratio, shape[1])


def image_file_of(content: bytes, shapes: Iterable[Shape]) -> ImageFile:
    """A file's bytes, decoded once for all models.

    Args:
        shapes: that the models take, one at least.

    Raises:
        ImageDecodeError: they are no image that can be read to its end.
    """
    shapes = list(dict.fromkeys(shapes))
    decoded = decode(content, 2 * max(size for size, _ in shapes))
    squares = {shape: np.asarray(fit(decoded, *shape)) for shape in shapes}
    with Image.open(io.BytesIO(content)) as image:
        exif = dict(sorted(exif_of(image)))
    return ImageFile(hashlib.sha256(content).hexdigest(), decoded.width / decoded.height, exif, squares)
