"""Read EXIF tags as text, without the location."""

import warnings
from collections.abc import Iterator
from typing import Any

from PIL import ExifTags, Image

_EXCLUDED_TAGS = {int(tag) for tag in (ExifTags.IFD.GPSInfo, ExifTags.IFD.Exif, ExifTags.IFD.Interop)} | {
    0x02BC,  # XMP, which may contain the location
    0x83BB,  # IPTC, likewise
    0x8649,  # Photoshop's
    0x927C,  # MakerNote
    0x9286,  # UserComment
}
_MAX_VALUE_LENGTH = 200  # characters


def read_exif(image: Image.Image) -> Iterator[tuple[str, str]]:
    """Iterate over tag names and values, without GPS; empty if the EXIF block is damaged."""
    for tag, value in _read_tags(image).items():
        if tag not in _EXCLUDED_TAGS:
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            text = text.replace("\0", "").strip()
            yield ExifTags.TAGS.get(tag, f"0x{tag:04x}"), text[:_MAX_VALUE_LENGTH]


def read_orientation(image: Image.Image) -> Image.Transpose | None:
    """Return the transposition that turns the image upright; None if it is upright or the tag is invalid."""
    value = _read_tags(image).get(ExifTags.Base.Orientation)
    return _UPRIGHT.get(value) if isinstance(value, int) else None


def _read_tags(image: Image.Image) -> dict[int, Any]:
    try:
        with warnings.catch_warnings(action="ignore"):  # Pillow warns about each damaged tag
            exif = image.getexif()
            return dict(exif) | dict(exif.get_ifd(ExifTags.IFD.Exif))
    except Exception:  # noqa: BLE001  a damaged EXIF block does not make the image useless
        return {}


_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> transposition that turns the image upright."""
