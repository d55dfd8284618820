"""Look at one picture: is it whole, what is it, and what does it look like from afar."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image, UnidentifiedImageError

from assets.exif import exif_of

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""Formats that are taken, by Pillow's names; nothing else is even tried, vector graphics least of all."""
HASH_SIDE = 16  # the perceptual hash has 16 x 16 bits
GRID_SIDE = 8  # cells of the colour grid along one side


class PictureError(Exception):
    """A picture cannot be used; ``reason`` is the quarantine's code, the message says what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of a picture that is whole.

    Attributes:
        path: where its original bytes lie while the stage runs.
        perceptual_hash: the 256 bits of imagehash's phash.
        colours: 192 levels, mean RGB of an 8 x 8 grid.
        exif: tag name and value, sorted by name, without GPS.
    """

    sha256: str
    path: str
    format: str
    width: int
    height: int
    perceptual_hash: bytes
    colours: bytes
    exif: tuple[tuple[str, str], ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A picture that cannot be had or used: the quarantine's code, and what was found."""

    reason: str
    detail: str


def examine(path: Path, pixels: float) -> Picture:
    """Decode a picture that lies on this machine, and describe it.

    Args:
        path: of the original file.
        pixels: the most that are decoded, against decompression bombs.

    Raises:
        PictureError: it cannot be read (`image_missing`), or as :func:`described` says.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PictureError("image_missing", f"it cannot be read: {error}") from error
    return described(content, path, pixels)


def described(content: bytes, path: Path, pixels: float) -> Picture:
    """Decode a picture fully and describe it.

    Args:
        path: where its original bytes lie, or will.
        pixels: the most that are decoded, against decompression bombs.

    Raises:
        PictureError: it is no picture (`image_type`), is broken (`image_truncated`) or has too many pixels
            (`image_too_large`).
    """
    image, rgb = _decoded(content, pixels)
    return Picture(
        sha256=hashlib.sha256(content).hexdigest(),
        path=str(path),
        format=str(image.format),
        width=image.width,
        height=image.height,
        perceptual_hash=np.packbits(imagehash.phash(rgb, hash_size=HASH_SIDE).hash).tobytes(),
        colours=rgb.resize((GRID_SIDE, GRID_SIDE), Image.Resampling.BOX).tobytes(),
        exif=tuple(sorted(exif_of(image))),
        bytes=len(content),
    )


def _decoded(content: bytes, pixels: float) -> tuple[Image.Image, Image.Image]:
    """The picture as it is, and in RGB."""
    if not content:
        raise PictureError("image_truncated", "the file is empty")
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as error:
        begins = content[:12]
        raise PictureError("image_type", f"no picture in {', '.join(FORMATS)}; begins with {begins!r}") from error
    except Image.DecompressionBombError as error:
        raise PictureError("image_too_large", f"more than {pixels:,.0f} pixels") from error
    except Exception as error:
        raise PictureError("image_truncated", f"its header cannot be read: {error}") from error
    if image.width * image.height > pixels:
        raise PictureError("image_too_large", f"{image.width} x {image.height} pixels, allowed: {pixels:,.0f}")
    try:
        image.load()
        # By way of RGBA, or Pillow warns of a palette's transparency.
        return image, (image.convert("RGBA") if image.mode in ("P", "PA", "LA") else image).convert("RGB")
    except Exception as error:  # Pillow's plugins raise OSError, SyntaxError, ValueError, struct.error, …
        raise PictureError("image_truncated", f"{image.format} of {len(content)} bytes: {error}") from error
