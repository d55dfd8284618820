"""Images of any kind to square RGB of one size, and on to JPEG."""

import io
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from heddle.images.exif import read_orientation

Fit = Literal["crop", "pad"]
"""How an image becomes square: the middle of it, or all of it on a white ground."""

WHITE = (255, 255, 255)


class ImageDecodeError(ValueError):
    """The bytes are no image that can be read to its end."""


def decode(content: bytes, size: int | None = None, how: Fit = "crop") -> Image.Image:
    """The first frame as 8-bit RGB, upright, on white where it is transparent.

    Args:
        content: an image file of any format that Pillow reads.
        size: if given, a JPEG may be decoded smaller, as long as it fills a square of so many pixels ...
        how: ... with its shorter side (crop), or its longer one (pad).

    Raises:
        ImageDecodeError: the bytes are no image, are cut off, or hold too many pixels.
    """
    try:
        image = Image.open(io.BytesIO(content))
        if size is not None and image.mode in ("RGB", "L"):
            filling = min(image.size) if how == "crop" else max(image.size)
            image.draft(None, (-(-image.width * size // filling), -(-image.height * size // filling)))
        image.load()
        return _rgb(_upright(image))
    except UnidentifiedImageError as error:  # its own words name an object in memory
        raise ImageDecodeError("its format is none that Pillow knows") from error
    except Exception as error:  # Pillow's plugins raise OSError, SyntaxError, ValueError, struct.error, …
        raise ImageDecodeError(str(error)) from error


def fit(image: Image.Image, size: int, how: Fit) -> Image.Image:
    """``image`` (RGB) as a square of ``size`` pixels; its proportions stay."""
    filling = min(image.size) if how == "crop" else max(image.size)
    # Two thirds of the bicubic filter's time, and a little softer; most of the way a JPEG was shrunk by its transform.
    resampling = Image.Resampling.HAMMING if filling > size else Image.Resampling.BICUBIC
    if how == "crop":
        return ImageOps.fit(image, (size, size), resampling)
    return ImageOps.pad(image, (size, size), resampling, color=WHITE)


def encode_jpeg(image: Image.Image, quality: int) -> bytes:
    """JPEG bytes, without metadata; equal images give equal bytes.

    Args:
        image: RGB.
        quality: 1 to 95, as libjpeg counts; from 90 on the colours keep the full resolution.
    """
    buffer = io.BytesIO()
    bare = image.copy()
    bare.info.clear()  # Pillow would carry a comment over
    bare.save(buffer, "JPEG", quality=quality, subsampling="4:4:4" if quality >= 90 else "4:2:0", optimize=False)
    return buffer.getvalue()


def _upright(image: Image.Image) -> Image.Image:
    turn = read_orientation(image)  # Pillow's exif_transpose also writes the EXIF anew, and fails if it is broken
    return image if turn is None else image.transpose(turn)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return _from_wide(image).convert("RGB")
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, (*WHITE, 255))
        return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _from_wide(image: Image.Image) -> Image.Image:
    """16-bit and wider greys to 8 bits; Pillow's own conversion would clip them to white."""
    values = np.asarray(image, dtype=np.float64)
    if values.max(initial=0) > 255:
        values = values / 257  # 65535 becomes 255
    return Image.fromarray(np.clip(values, 0, 255).round().astype(np.uint8))
