"""An image file as the writer reads it: what a listing in the shards with the same image would give."""

import hashlib
import io
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from assets.catalog.images import examine_image
from heddle.description.inputs import decode_image_file
from heddle.description.user_inputs import (
    UserContext,
    UserInputError,
    UserInputs,
    UserObject,
    UserRelation,
    UserScene,
    read_context,
    read_scene,
    read_scenes,
)
from heddle.images.image_file import read_image
from heddle.images.originals import Original
from heddle.images.resize import ImageDecodeError
from lightning_modules.training.shards import ShardSample
from lightning_modules.writer.samples import FACTS, read_inputs
from tests.support.echo_writer import image

SHAPE = (16, "pad")
SCENE = UserScene(
    objects=(UserObject(label="bag", box=(0.1, 0.2, 0.9, 0.8), attributes=("red",)), UserObject(label="ball")),
    relations=(UserRelation(subject=1, predicate="behind", object=0),),
)


def _file(width: int, height: int, exif: Image.Exif) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "peru").save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FNumber] = 2.8
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (51.0, 30.0, 26.0)
    return exif


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_file_is_read_as_a_listing_with_its_image(tmp_path: Path, orientation: int) -> None:
    content = _file(40, 20, _exif(orientation))
    path = tmp_path / "one.jpg"
    path.write_bytes(content)
    user_inputs = UserInputs(
        UserContext(site="shop.example", locale="en-GB", preferences=("friendly",)), {"one.jpg": SCENE}
    )
    found = decode_image_file(content, [SHAPE, SHAPE, (8, "crop")])  # type: ignore[list-item]
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert found.ratio == (2 if orientation == 1 else 0.5)
    assert found.exif == dict(examine_image(Original.whole(path), 1e6).exif)
    assert "GPSInfo" not in found.exif
    assert found.squares.keys() == {SHAPE, (8, "crop")}
    row = {
        "context": {"site": "shop.example", "locale": "en-GB", "preferences": ["friendly"]},
        "objects": [
            {"label": "bag", "box": [0.1, 0.2, 0.9, 0.8], "attributes": ["red"]},
            {"label": "ball", "box": None, "attributes": []},
        ],
        "relations": [{"subject": 1, "predicate": "behind", "object": 0}],
        "exif": [list(pair) for pair in found.exif.items()],
    }
    listed = read_inputs(ShardSample("key", read_image(path, 16, "pad"), row), found.ratio, "pad")
    inputs = found.writer_inputs(SHAPE, user_inputs.row("one.jpg"))  # type: ignore[arg-type]
    np.testing.assert_array_equal(inputs.image, listed.image)
    np.testing.assert_array_equal(inputs.facts, listed.facts)
    assert inputs.facts is not None
    assert not math.isnan(inputs.facts[FACTS.index("FNumber")])
    assert (inputs.objects, inputs.relations, inputs.context) == (listed.objects, listed.relations, listed.context)
    assert inputs.context == "site shop.example. locale en-GB. wishes: friendly"


def test_what_is_not_told_is_absent() -> None:
    inputs = decode_image_file(image(1), [SHAPE]).writer_inputs(SHAPE, UserInputs().row("one.png"))  # type: ignore[arg-type, list-item]
    assert (inputs.objects, inputs.relations, inputs.context) == ([], [], None)


def test_what_is_no_image_is_refused() -> None:
    for content in (b"", b"words", image(1)[:200], b"\x89PNG\r\n\x1a\n" + b"\0" * 60):
        with pytest.raises(ImageDecodeError):
            decode_image_file(content, [SHAPE])  # type: ignore[list-item]


def test_words_are_wishes_and_a_file_is_read(tmp_path: Path) -> None:
    assert read_context("short\u2028 sentences\ud800").preferences == ("short sentences",)
    file = tmp_path / "context.json"
    file.write_text('{"locale": "de-DE", "preferences": ["freundlich\\u0000"]}')
    assert read_context(str(file)) == UserContext(locale="de-DE", preferences=("freundlich",))
    file.write_text('{"objects": [{"label": "bag"}]}')
    assert read_scene(file) == UserScene(objects=(UserObject(label="bag"),))
    file.write_text('{"a/b.jpg": {"objects": [{"label": "bag"}]}}')
    assert read_scenes(file) == {"a/b.jpg": UserScene(objects=(UserObject(label="bag"),))}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"objects": [{"label": "bag", "box": [0, 1]}]}', r"objects\.0\.box\.2: Field required"),
        (b'{"objects": [{"lable": "bag"}]}', r"objects\.0\.label: Field required; objects\.0\.lable: Extra inputs"),
        (b'{"objects": [{}, {}, {}, {}, {}]}', r"and 2 more$"),
        (b"[]", r"should be an object"),
        (b"{", r"Invalid JSON"),
        (b"\xff", r"Invalid JSON"),
        (b'{"objects":' * 5000, r"Invalid JSON|Extra|valid"),
        (b"[" * 100_000, r"Invalid JSON"),
    ],
)
def test_mistakes_in_a_file_are_told_with_their_place(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "scene.json"
    file.write_bytes(content)
    with pytest.raises(UserInputError, match=rf"scene\.json: .*{message}"):
        read_scene(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match=r"nowhere\.json: No such file"):
        read_scene(tmp_path / "nowhere.json")
