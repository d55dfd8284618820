"""Look at one image: is it whole, what is it, and what does it look like from afar."""

import hashlib
import io
from dataclasses import dataclass
from typing import NamedTuple

import imagehash
import numpy as np
from PIL import Image, UnidentifiedImageError

from heddle.images.exif import exif_of
from heddle.images.formats import FORMATS
from heddle.images.originals import Original

HASH_SIDE = 16  # the perceptual hash has 16 x 16 bits
GRID_SIDE = 8  # cells of the colour grid along one side
_SEEN_SIDE = 4 * HASH_SIDE  # of the image that imagehash looks at
_DECODED_SIDE = 6 * HASH_SIDE  # least of a JPEG that is decoded smaller; at 4 copies would differ in twice as many bits


class ImageRejectedError(Exception):
    """An image cannot be used; ``reason`` is the quarantine's code, the message says what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class ImageInfo(NamedTuple):
    """What is known of an image that is whole.

    Attributes:
        original: where its bytes lie while the stage runs.
        perceptual_hash: the 256 bits of imagehash's phash.
        colours: 192 levels, mean RGB of an 8 x 8 grid.
        exif: tag name and value, sorted by name, without GPS.
    """

    sha256: str
    original: Original
    format: str
    width: int
    height: int
    perceptual_hash: bytes
    colours: bytes
    exif: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """An image that cannot be had or used: the quarantine's code, and what was found."""

    reason: str
    detail: str


def examine(original: Original, pixels: float) -> ImageInfo:
    """Decode an image that lies on this machine, and describe it.

    Args:
        pixels: the most that are decoded, against decompression bombs.

    Raises:
        ImageRejectedError: it cannot be read (`image_missing`), or as :func:`opened` and :func:`described` say.
    """
    try:
        content = original.read()
    except OSError as error:
        raise ImageRejectedError("image_missing", f"it cannot be read: {error}") from error
    return described(opened(content, pixels), content, original)


def described(image: Image.Image, content: bytes, original: Original) -> ImageInfo:
    """Decode an image to its end and describe it.

    Args:
        image: the image, opened.
        content: its bytes.
        original: where these lie.

    Raises:
        ImageRejectedError: it is broken (`image_truncated`).
    """
    width, height = image.size
    rgb = _decoded(image, len(content))
    # Not by imagehash, whose filter takes twice as long to the same end.
    seen = rgb.convert("L").resize((_SEEN_SIDE, _SEEN_SIDE), Image.Resampling.BILINEAR)
    return ImageInfo(
        sha256=hashlib.sha256(content).hexdigest(),
        original=original,
        format=str(image.format),
        width=width,
        height=height,
        perceptual_hash=np.packbits(imagehash.phash(seen, hash_size=HASH_SIDE).hash).tobytes(),
        colours=rgb.resize((GRID_SIDE, GRID_SIDE), Image.Resampling.BOX).tobytes(),
        exif=tuple(sorted(exif_of(image))),
    )


def opened(content: bytes, pixels: float) -> Image.Image:
    """An image of which the header is read and nothing is decoded.

    Args:
        pixels: the most that may be decoded, against decompression bombs.

    Raises:
        ImageRejectedError: it is no image (`image_type`), its header is broken (`image_truncated`) or it has too many
            pixels (`image_too_large`).
    """
    if not content:
        raise ImageRejectedError("image_truncated", "the file is empty")
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as error:
        begins = content[:12]
        raise ImageRejectedError("image_type", f"no image in {', '.join(FORMATS)}; begins with {begins!r}") from error
    except Image.DecompressionBombError as error:
        raise ImageRejectedError("image_too_large", f"more than {pixels:,.0f} pixels") from error
    except Exception as error:
        raise ImageRejectedError("image_truncated", f"its header cannot be read: {error}") from error
    if image.width * image.height > pixels:
        raise ImageRejectedError("image_too_large", f"{image.width} x {image.height} pixels, allowed: {pixels:,.0f}")
    return image


def _decoded(image: Image.Image, size: int) -> Image.Image:
    """The image in RGB, read to its last byte; a JPEG may be smaller, which leaves the sums but not the reading."""
    try:
        if image.mode in ("RGB", "L"):
            image.draft(None, (_DECODED_SIDE, _DECODED_SIDE))
        image.load()
        # By way of RGBA, or Pillow warns of a palette's transparency.
        return (image.convert("RGBA") if image.mode in ("P", "PA", "LA") else image).convert("RGB")
    except Exception as error:  # Pillow's plugins raise OSError, SyntaxError, ValueError, struct.error, …
        raise ImageRejectedError("image_truncated", f"{image.format} of {size} bytes: {error}") from error
