"""An image file and the user's inputs, in the form of a listing that the writer reads."""

import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from heddle.images.exif import read_exif
from heddle.images.resize import Fit, decode, fit
from lightning_modules.training.shards import ShardSample
from lightning_modules.writer.samples import Inputs, read_inputs

Shape = tuple[int, Fit]
"""Side of a square image in pixels, and the resize mode."""


class Sized(Protocol):
    """The part of a model's config that determines its images."""

    @property
    def image_size(self) -> int: ...
    @property
    def resize_mode(self) -> Fit: ...


def shape_of(config: Sized) -> Shape:
    """The shape of the images that a model takes as input."""
    return config.image_size, config.resize_mode


@dataclass(frozen=True)
class ImageFile:
    """A decoded image in the shapes that the models take.

    Attributes:
        sha256: hash of the file's bytes, in hex.
        ratio: width / height of the upright image.
        exif: tag to value, without GPS, as in the catalogue.
        squares: shape to the RGB image of this shape, (S, S, 3).
    """

    sha256: str
    ratio: float
    exif: Mapping[str, str]
    squares: Mapping[Shape, NDArray[np.uint8]]

    def writer_inputs(self, shape: Shape, columns: Mapping[str, Any]) -> Inputs:
        """The writer's inputs: the same as of a listing in the shards with this image and these columns.

        Args:
            shape: shape of the images that the writer was trained on.
            columns: `context`, `objects` and `relations` of a listing, any of which may be missing.
        """
        row = {**columns, "exif": self.exif}
        return read_inputs(ShardSample(self.sha256, self.squares[shape], row), self.ratio, shape[1])


def decode_image_file(content: bytes, shapes: Iterable[Shape]) -> ImageFile:
    """Decode a file's bytes once for all models.

    Args:
        content: the bytes.
        shapes: shapes that the models take, at least one.

    Raises:
        ImageDecodeError: the bytes are not a complete image.
    """
    shapes = list(dict.fromkeys(shapes))
    decoded = decode(content, 2 * max(size for size, _ in shapes))
    squares = {shape: np.asarray(fit(decoded, *shape)) for shape in shapes}
    with Image.open(io.BytesIO(content)) as image:
        exif = dict(sorted(read_exif(image)))
    return ImageFile(hashlib.sha256(content).hexdigest(), decoded.width / decoded.height, exif, squares)
