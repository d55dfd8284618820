"""What an image file says of how it was made: its EXIF tags as text, without where."""

import warnings
from collections.abc import Iterator
from typing import Any

from PIL import ExifTags, Image

_UNTOLD = {int(tag) for tag in (ExifTags.IFD.GPSInfo, ExifTags.IFD.Exif, ExifTags.IFD.Interop)} | {
    0x02BC,  # XMP, which may hold the place
    0x83BB,  # IPTC, likewise
    0x8649,  # Photoshop's
    0x927C,  # MakerNote
    0x9286,  # UserComment
}
_LONGEST_VALUE = 200  # characters


def read_exif(image: Image.Image) -> Iterator[tuple[str, str]]:
    """Tag name and value, without GPS; nothing where the block is broken."""
    for tag, value in _tags(image).items():
        if tag not in _UNTOLD:
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            text = text.replace("\0", "").strip()
            yield ExifTags.TAGS.get(tag, f"0x{tag:04x}"), text[:_LONGEST_VALUE]


def read_orientation(image: Image.Image) -> Image.Transpose | None:
    """What sets the image upright; None where it stands so, or where its EXIF says nothing that can be read."""
    told = _tags(image).get(ExifTags.Base.Orientation)
    return _UPRIGHT.get(told) if isinstance(told, int) else None


def _tags(image: Image.Image) -> dict[int, Any]:
    try:
        with warnings.catch_warnings(action="ignore"):  # Pillow tells of each broken tag
            exif = image.getexif()
            return dict(exif) | dict(exif.get_ifd(ExifTags.IFD.Exif))
    except Exception:  # noqa: BLE001  a broken EXIF block, of any kind, does not make the image useless
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
"""EXIF's orientation -> how to turn or flip."""
