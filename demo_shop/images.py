"""From a scene to the original file: JPEG, PNG or WebP, some with EXIF, some of those with GPS coordinates."""

import io
import random
import struct
import zlib
from dataclasses import dataclass

from PIL import Image

from demo_shop.facts import ListingFacts, stream
from demo_shop.scene import RenderedScene, render

MAKE, MODEL, SOFTWARE, GPS = 0x010F, 0x0110, 0x0131, 0x8825
FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
TOO_LARGE_SIDE = 1900
"""Side of the planted oversized image: 1900² x 3 bytes of noise are 10.8 MB."""


@dataclass(frozen=True)
class ListingImage:
    """An original image file and its scene."""

    content: bytes
    format: str  # Pillow's name
    width: int
    height: int
    scene: RenderedScene

    @property
    def mime_type(self) -> str:
        """MIME type, such as ``image/jpeg``."""
        return f"image/{self.format.lower()}"

    @property
    def extension(self) -> str:
        """File name extension without the dot."""
        return FORMATS[self.format]


def listing_image(seed: int, facts: ListingFacts, reencoded: bool = False) -> ListingImage:
    """The image of a listing; ``reencoded``: the same scene, smaller and more compressed (a near duplicate)."""
    image, scene, _ = render(facts, stream(seed, "scene", facts.number))
    rng = stream(seed, "file", facts.number)
    kind = rng.choices(tuple(FORMATS), (70, 10, 20))[0]
    quality = rng.randrange(80, 93)
    if reencoded:
        small = (round(image.width * 0.9), round(image.height * 0.9))
        return _file(image.resize(small, Image.Resampling.LANCZOS), "JPEG", 68, None, scene)
    return _file(image, kind, quality, _exif(facts, rng), scene)


def _file(image: Image.Image, kind: str, quality: int, exif: bytes | None, scene: RenderedScene) -> ListingImage:
    buffer = io.BytesIO()
    more = {"exif": exif} if exif else {}
    if kind == "PNG":
        image.save(buffer, kind, compress_level=3, **more)
    elif kind == "WEBP":
        image.save(buffer, kind, quality=quality, method=1, **more)
    else:
        image.save(buffer, kind, quality=quality, **more)
    return ListingImage(buffer.getvalue(), kind, image.width, image.height, scene)


def _exif(facts: ListingFacts, rng: random.Random) -> bytes | None:
    if facts.camera is None:
        return None
    exif = Image.Exif()
    exif[MAKE], exif[MODEL] = facts.camera
    exif[SOFTWARE] = "demo shop"
    if facts.located:
        exif[GPS] = {1: "N", 2: (51.0, float(rng.randrange(60)), 0.0), 3: "W", 4: (1.0, float(rng.randrange(60)), 0.0)}
    return exif.tobytes()


def oversized(seed: int, number: int) -> bytes:
    """A valid PNG of incompressible noise, more than 10 MB."""
    row = 3 * TOO_LARGE_SIDE
    noise = stream(seed, "oversized", number).randbytes(row * TOO_LARGE_SIDE)
    raw = b"".join(b"\0" + noise[start : start + row] for start in range(0, len(noise), row))
    header = struct.pack(">IIBBBBB", TOO_LARGE_SIDE, TOO_LARGE_SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(raw, 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
