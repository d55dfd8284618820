"""Convert images of any format to square RGB images of one size, and encode them as JPEG."""

import io
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from heddle.images.exif import read_orientation

Fit = Literal["crop", "pad"]
"""How an image becomes square: crop to the centre, or pad with white."""

WHITE = (255, 255, 255)


class ImageDecodeError(ValueError):
    """The bytes are no complete image."""


def decode(content: bytes, size: int | None = None, how: Fit = "crop") -> Image.Image:
    """Decode the first frame to 8-bit RGB, upright, on white where it is transparent.

    Args:
        content: an image file of any format that Pillow reads.
        size: if set, a JPEG may be decoded at a smaller size that still fills a square of this side ...
        how: ... with its shorter side (crop) or its longer side (pad).

    Raises:
        ImageDecodeError: the bytes are no image, are truncated, or have too many pixels.
    """
    try:
        image = Image.open(io.BytesIO(content))
        if size is not None and image.mode in ("RGB", "L"):
            filling = min(image.size) if how == "crop" else max(image.size)
            image.draft(None, (-(-image.width * size // filling), -(-image.height * size // filling)))
        image.load()
        return _convert_to_rgb(_turn_upright(image))
    except UnidentifiedImageError as error:  # its message contains an object's address
        raise ImageDecodeError("unknown image format") from error
    except Exception as error:  # Pillow's plugins raise OSError, SyntaxError, ValueError, struct.error, …
        raise ImageDecodeError(str(error)) from error


def fit(image: Image.Image, size: int, how: Fit) -> Image.Image:
    """Resize ``image`` (RGB) to a square of ``size`` pixels without changing its proportions."""
    filling = min(image.size) if how == "crop" else max(image.size)
    # Hamming takes two thirds of the bicubic filter's time and is a little softer.
    resampling = Image.Resampling.HAMMING if filling > size else Image.Resampling.BICUBIC
    if how == "crop":
        return ImageOps.fit(image, (size, size), resampling)
    return ImageOps.pad(image, (size, size), resampling, color=WHITE)


def encode_jpeg(image: Image.Image, quality: int) -> bytes:
    """Encode an image as JPEG without metadata. Equal images give equal bytes.

    Args:
        image: RGB image.
        quality: 1 to 95 on libjpeg's scale; from 90 on, colours keep the full resolution.
    """
    buffer = io.BytesIO()
    bare = image.copy()
    bare.info.clear()  # Pillow would copy the comment
    bare.save(buffer, "JPEG", quality=quality, subsampling="4:4:4" if quality >= 90 else "4:2:0", optimize=False)
    return buffer.getvalue()


def _turn_upright(image: Image.Image) -> Image.Image:
    turn = read_orientation(image)  # Pillow's exif_transpose also rewrites the EXIF block, and fails if it is damaged
    return image if turn is None else image.transpose(turn)


def _convert_to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return _reduce_to_8_bits(image).convert("RGB")
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, (*WHITE, 255))
        return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _reduce_to_8_bits(image: Image.Image) -> Image.Image:
    """Reduce greyscale images of 16 or more bits to 8 bits; Pillow's conversion would clip them to white."""
    values = np.asarray(image, dtype=np.float64)
    if values.max(initial=0) > 255:
        values = values / 257  # 65535 becomes 255
    return Image.fromarray(np.clip(values, 0, 255).round().astype(np.uint8))
