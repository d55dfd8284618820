"""Examine one image: decode it completely, and compute its hash, colour grid and EXIF tags."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import imagehash
import numpy as np
from PIL import Image, UnidentifiedImageError

from heddle.images.exif import read_exif
from heddle.images.formats import FORMATS
from heddle.images.originals import Original

HASH_SIDE = 16  # the perceptual hash has 16 x 16 bits
GRID_SIDE = 8  # cells of the colour grid along one side
_HASHED_SIDE = 4 * HASH_SIDE  # of the image from which the hash is computed
_DECODED_SIDE = 6 * HASH_SIDE  # smallest decoded JPEG; with 4 * HASH_SIDE, twice as many bits of copies would differ


class ImageRejectedError(Exception):
    """An image cannot be used; ``reason`` is the quarantine's code, the message contains what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class ImageInfo(NamedTuple):
    """Description of a complete image.

    Attributes:
        original: location of its bytes while the stage runs.
        perceptual_hash: the 256 bits of imagehash's phash.
        colours: mean RGB of the cells of an 8 x 8 grid, 192 levels of 255.
        exif: EXIF tag names and values, sorted by name, without GPS.
    """

    sha256: str
    original: Original
    format: str
    width: int
    height: int
    perceptual_hash: bytes
    colours: bytes
    exif: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """Convert to JSON's types."""
        return self._asdict() | {"perceptual_hash": self.perceptual_hash.hex(), "colours": self.colours.hex()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Convert back from the result of :meth:`to_json`."""
        types = {
            "original": Original(*content["original"]),
            "perceptual_hash": bytes.fromhex(content["perceptual_hash"]),
            "colours": bytes.fromhex(content["colours"]),
            "exif": tuple((name, value) for name, value in content["exif"]),
        }
        return cls(**{**content, **types})


@dataclass(frozen=True, slots=True)
class ImageRejection:
    """Why an image is missing or cannot be used: the quarantine's code, and what was found."""

    reason: str
    detail: str


def examine_image(original: Original, max_pixels: float) -> ImageInfo:
    """Decode a local image and describe it.

    Args:
        max_pixels: largest image that is decoded, against decompression bombs.

    Raises:
        ImageRejectedError: the file cannot be read (`image_missing`); see also :func:`open_image` and
            :func:`describe_image`.
    """
    try:
        content = original.read()
    except OSError as error:
        raise ImageRejectedError("image_missing", f"the file cannot be read: {error}") from error
    return describe_image(open_image(content, max_pixels, quotes=False), content, original)


def describe_image(image: Image.Image, content: bytes, original: Original) -> ImageInfo:
    """Decode an image completely and describe it.

    Args:
        image: the opened image.
        content: its bytes.
        original: location of the bytes.

    Raises:
        ImageRejectedError: the image is damaged (`image_truncated`).
    """
    width, height = image.size
    rgb = _decode_rgb(image, len(content))
    # imagehash's own resize filter takes twice as long for the same result.
    hashed = rgb.convert("L").resize((_HASHED_SIDE, _HASHED_SIDE), Image.Resampling.BILINEAR)
    return ImageInfo(
        sha256=hashlib.sha256(content).hexdigest(),
        original=original,
        format=str(image.format),
        width=width,
        height=height,
        perceptual_hash=np.packbits(imagehash.phash(hashed, hash_size=HASH_SIDE).hash).tobytes(),
        colours=rgb.resize((GRID_SIDE, GRID_SIDE), Image.Resampling.BOX).tobytes(),
        exif=tuple(sorted(read_exif(image))),
    )


def open_image(content: bytes, max_pixels: float, *, quotes: bool = True) -> Image.Image:
    """Read the header of an image without decoding the image.

    Args:
        max_pixels: largest image that may be decoded, against decompression bombs.
        quotes: whether the message about another file contains its first bytes. A local file may be secret.

    Raises:
        ImageRejectedError: the content is no image (`image_type`), its header is damaged (`image_truncated`) or it has
            too many pixels (`image_too_large`).
    """
    if not content:
        raise ImageRejectedError("image_truncated", "the file is empty")
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as error:
        found = f"first bytes: {content[:12]!r}" if quotes else f"found a file of {len(content):,} bytes"
        detail = f"not an image in {', '.join(FORMATS)}; {found}"
        raise ImageRejectedError("image_type", detail) from error
    except Image.DecompressionBombError as error:
        raise ImageRejectedError("image_too_large", f"more than {max_pixels:,.0f} pixels") from error
    except Exception as error:
        raise ImageRejectedError("image_truncated", f"the header cannot be read: {error}") from error
    if image.width * image.height > max_pixels:
        detail = f"{image.width} x {image.height} pixels, allowed: {max_pixels:,.0f}"
        raise ImageRejectedError("image_too_large", detail)
    return image


def _decode_rgb(image: Image.Image, size: int) -> Image.Image:
    """Return the image in RGB, decoded to its last byte. A JPEG is decoded at a smaller size, which is faster."""
    try:
        if image.mode in ("RGB", "L"):
            image.draft(None, (_DECODED_SIDE, _DECODED_SIDE))
        image.load()
        # Via RGBA, because Pillow warns about transparency in palettes.
        if image.mode in ("P", "PA", "LA"):
            image = image.convert("RGBA")
        return image.convert("RGB")
    except Exception as error:  # Pillow's plugins raise OSError, SyntaxError, ValueError, struct.error, …
        raise ImageRejectedError("image_truncated", f"{image.format} of {size} bytes: {error}") from error
