"""Pictures of any kind to square RGB of one size, and on to JPEG."""

import io
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from heddle.images.exif import orientation_of

Fit = Literal["crop", "pad"]
"""How a picture becomes square: the middle of it, or all of it on a white ground."""

WHITE = (255, 255, 255)


class PictureError(ValueError):
    """The bytes are no picture that can be read to its end."""


def decode(content: bytes, size: int | None = None, how: Fit = "crop") -> Image.Image:
    """The first frame as 8-bit RGB, upright, on white where it is transparent.

    Args:
        content: a picture file of any format that Pillow reads.
        size: if given, a JPEG may be decoded smaller, as long as it fills a square of so many pixels ...
        how: ... with its shorter side (crop), or its longer one (pad).

    Raises:
        PictureError: the bytes are no picture, are cut off, or hold too many pixels.
    """
    try:
        picture = Image.open(io.BytesIO(content))
        if size is not None and picture.mode in ("RGB", "L"):
            filling = min(picture.size) if how == "crop" else max(picture.size)
            picture.draft(None, (-(-picture.width * size // filling), -(-picture.height * size // filling)))
        picture.load()
        return _rgb(_upright(picture))
    except UnidentifiedImageError as error:  # its own words name an object in memory
        raise PictureError("its format is none that Pillow knows") from error
    except Exception as error:  # Pillow's plugins raise OSError, SyntaxError, ValueError, struct.error, …
        raise PictureError(str(error)) from error


def fit(picture: Image.Image, size: int, how: Fit) -> Image.Image:
    """``picture`` (RGB) as a square of ``size`` pixels; its proportions stay."""
    filling = min(picture.size) if how == "crop" else max(picture.size)
    # Two thirds of the bicubic filter's time, and a little softer; most of the way a JPEG was shrunk by its transform.
    resampling = Image.Resampling.HAMMING if filling > size else Image.Resampling.BICUBIC
    if how == "crop":
        return ImageOps.fit(picture, (size, size), resampling)
    return ImageOps.pad(picture, (size, size), resampling, color=WHITE)


def encode_jpeg(picture: Image.Image, quality: int) -> bytes:
    """JPEG bytes, without metadata; equal pictures give equal bytes.

    Args:
        picture: RGB.
        quality: 1 to 95, as libjpeg counts; from 90 on the colours keep the full resolution.
    """
    buffer = io.BytesIO()
    bare = picture.copy()
    bare.info.clear()  # Pillow would carry a comment over
    bare.save(buffer, "JPEG", quality=quality, subsampling="4:4:4" if quality >= 90 else "4:2:0", optimize=False)
    return buffer.getvalue()


def _upright(picture: Image.Image) -> Image.Image:
    turn = orientation_of(picture)  # Pillow's exif_transpose also writes the EXIF anew, and fails if it is broken
    return picture if turn is None else picture.transpose(turn)


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        return _from_wide(picture).convert("RGB")
    if picture.has_transparency_data:
        ground = Image.new("RGBA", picture.size, (*WHITE, 255))
        return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")
    return picture.convert("RGB")


def _from_wide(picture: Image.Image) -> Image.Image:
    """16-bit and wider greys to 8 bits; Pillow's own conversion would clip them to white."""
    values = np.asarray(picture, dtype=np.float64)
    if values.max(initial=0) > 255:
        values = values / 257  # 65535 becomes 255
    return Image.fromarray(np.clip(values, 0, 255).round().astype(np.uint8))
