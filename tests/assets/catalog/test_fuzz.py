"""Whatever strangers send is accepted, quarantined or refused: some of the benchmark's cases and what it found."""

import io
import json
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[3]))

from assets.catalog.collector import Collector
from assets.catalog.images import ImageRejectedError, examine_image
from assets.catalog.local_images import ImageFolders
from benchmarks import fuzz_catalog
from heddle.images.originals import Original

CASES = 80


@pytest.mark.filterwarnings("ignore")  # Pillow tells of each broken tag
@pytest.mark.parametrize("kind", fuzz_catalog.KINDS)
def test_nothing_crashes_and_nothing_is_lost(kind: str, tmp_path: Path) -> None:
    (tmp_path / "sound.png").write_bytes(fuzz_catalog.sample_image("PNG"))
    found = fuzz_catalog.KINDS[kind](tmp_path, CASES)
    assert found.total() >= CASES // 2
    # Few cases so random are accepted whole; which, depends on the modules that Hypothesis takes constants from.
    assert any("accepted" in outcome or outcome == "some of each" for outcome in found)
    assert not any(word in outcome for outcome in found for word in ("NAMELESS", "EMPTY"))


def taken(folder: Path, fields: dict[str, Any], native: str = "1", origin: str = "row 1") -> dict[str, Any]:
    """The one row of the quarantine after a listing that is refused, or has no image."""
    collector = Collector(folder, 1e6, 1_000_000, 1)
    draft = collector.add_listing("mine", native, fields, fields, origin)
    if draft:
        collector.set_image_file(draft, "x" * 300, ImageFolders([folder]))
    (row,) = collector.finish().quarantine
    json.dumps(row, ensure_ascii=False).encode()  # can be written
    return dict(row)


def test_half_a_surrogate_pair_is_told_of_and_can_be_written(tmp_path: Path) -> None:
    """JSON may spell it; UTF-8 and so Parquet cannot hold it."""
    for fields, native in (({"title": "a\ud800"}, "1"), ({"objects": [{"label": "\udfff", "box": [0, 0, 1, 1]}]}, "1")):
        assert taken(tmp_path, fields, native)["reason"] == "malformed_record"
    row = taken(tmp_path, {"title": "a\ud800"}, "1\udcff", "http://shop.test/\ud800")
    assert row["origin"] == "http://shop.test/\\ud800"
    assert json.loads(row["record"]) == {"title": "a\ud800"}  # nothing is lost


def test_a_name_that_no_file_can_have_is_a_missing_image(tmp_path: Path) -> None:
    assert taken(tmp_path, {})["reason"] == "image_missing"


def test_a_number_beyond_all_floats_is_no_price(tmp_path: Path) -> None:
    assert taken(tmp_path, {"price": 10**400})["reason"] == "malformed_record"


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, extra: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def frame_larger_than_its_image() -> bytes:
    file = io.BytesIO()
    Image.new("P", (10, 10)).save(file, "GIF")
    content = file.getvalue()
    place = content.index(b",") + 5
    return content[:place] + struct.pack("<HH", 65535, 65535) + content[place + 4 :]


PACKED = zlib.compress(bytes(100_000_000), 9)
BOMBS = {
    "pixels in the header": png(100_000, 100_000),
    "an image of half the pixels that Pillow bears": png(9_000, 8_000),
    "text": png(10, 10, chunk(b"zTXt", b"a\0\0" + PACKED)),
    "international text": png(10, 10, chunk(b"iTXt", b"a\0\1\0\0\0" + PACKED)),
    "colour profile": png(10, 10, chunk(b"iCCP", b"a\0\0" + PACKED)),
    "frame": frame_larger_than_its_image(),
    "bitmap": b"BM"
    + struct.pack("<IHHI", 0, 0, 0, 54)
    + struct.pack("<IiiHHIIiiII", 40, 30_000, 30_000, 1, 24, 0, 0, 0, 0, 0, 0),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_are_refused_before_they_are_decoded(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(image: Any) -> None:
        raise AssertionError("it is decoded")

    monkeypatch.setattr(Image.Image, "convert", load)
    path = tmp_path / "bomb"
    path.write_bytes(BOMBS[kind])
    with pytest.raises(ImageRejectedError) as caught:
        examine_image(Original.whole(path), 64e6)
    assert caught.value.reason in ("image_too_large", "image_truncated")
    assert "decoded" not in caught.value.detail


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_many_frames_one_is_decoded(form: str, tmp_path: Path) -> None:
    """Pixels are counted of one frame, as no other is looked at."""
    frames = [Image.new("RGB", (100, 100), (shade, 0, 0)) for shade in range(0, 250, 10)]
    frames[0].save(tmp_path / "frames", form, save_all=True, append_images=frames[1:])
    assert (examine_image(Original.whole(tmp_path / "frames"), 10_000).width, form) == (100, form)
