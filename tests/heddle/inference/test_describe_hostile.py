"""Describe: hostile input, in the user's texts or in the image file, does not reach the output."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from heddle.content.schema import problems
from heddle.description.describer import Describer
from heddle.description.user_inputs import UserContext, UserInputs, UserObject, UserRelation, UserScene
from lightning_modules.layers.generation import Pick
from lightning_modules.writer.content_writer import ContentWriter
from tests.support.echo_writer import describer, image
from tests.support.tiny_writer import TOKENIZER, tiny_writer

BREAKING = (
    '"}], "title": "', "</p><script>alert(1)</script>", "\\", "{{ 7 * 7 }}", "\u2028\u0000\ud800\u202e", "<!--", "]]>",
    "&lt;b&gt;", "'; DROP TABLE posts; --", "\uff41" * 5000, "",
)  # fmt: skip


def _tags(count: int) -> Image.Exif:
    exif = Image.Exif()
    for tag in range(0xE000, 0xE000 + count):
        exif[tag] = BREAKING[tag % len(BREAKING)].encode("utf-8", "replace")[:12]
    return exif


def _located() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Orbis"
    exif[ExifTags.Base.Artist] = BREAKING[1]
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (51.0, 30.0, 26.0)
    return exif


EXIF: dict[str, Callable[[], bytes]] = {
    "thousands of tags": lambda: _tags(3000).tobytes(),
    "a place": lambda: _located().tobytes(),
    "noise": lambda: b"Exif\0\0" + bytes(range(256)) * 200,
    "an orientation that is none": lambda: (
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x05\0\0\0\xff\xff\xff\xff\0\0\0\0"
    ),
    "counts beyond all memory": lambda: (
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x9a\x82\x05\0\xff\xff\xff\xff\x08\0\0\0\0\0\0\0"
    ),
    "a camera that is a number": lambda: (
        b"Exif\0\0II*\0\x08\0\0\0\x02\0\x0f\x01\x0b\0\x01\0\0\0\0\0\x80?\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    ),
    "cut off": lambda: _located().tobytes()[:20],
}


class Brief(ContentWriter):
    """A writer that has learned nothing, but likes to end."""

    def write(self, inputs: Any, pick: Pick = lambda logits: logits.argmax(dim=-1), until: str | None = None) -> Any:
        def sooner(logits: Any) -> Any:
            logits = logits.clone()
            logits[:, self.tokens.end] += 1.0
            return pick(logits)

        return super().write(inputs, sooner, until)


@pytest.fixture(scope="module")
def untrained() -> Describer:
    return Describer(Brief(tiny_writer(), TOKENIZER), describer().scorer)


def _scene(objects: int) -> UserScene:
    things = tuple(
        UserObject(
            label=BREAKING[place % len(BREAKING)],
            attributes=BREAKING[: place % 4],
            box=(float("nan"), -1.0, 1e300, 0.5) if place % 3 else None,
        )
        for place in range(objects)
    )
    relations = tuple(
        UserRelation(subject=place - 3, predicate=BREAKING[place % 5], object=objects - place)
        for place in range(objects)
    )
    return UserScene(objects=things, relations=relations)


TOLD: dict[str, UserInputs] = {
    "nothing": UserInputs(),
    "empty": UserInputs(UserContext(), {"one.jpg": UserScene()}),
    "a context that breaks out": UserInputs(UserContext(site=BREAKING[0], locale=BREAKING[1], preferences=BREAKING)),
    "500 objects": UserInputs(UserContext(locale="xx"), {"one.jpg": _scene(500)}),
    "objects that break out": UserInputs(None, {"one.jpg": _scene(12)}),
}


def _described(made_by: Describer, path: Path, inputs: UserInputs) -> dict[str, Any]:
    (line,) = made_by.describe([made_by.read(path, "one.jpg", inputs)])
    text = json.dumps(line, ensure_ascii=False)
    assert json.loads(text) == line
    assert text.encode()  # no lone surrogate
    assert problems(line["content"]) == []
    assert "<script" not in line["content"]["content"]
    return dict(line)


@pytest.mark.parametrize("name", TOLD)
def test_whatever_is_told_the_content_is_valid(tmp_path: Path, untrained: Describer, name: str) -> None:
    (tmp_path / "one.jpg").write_bytes(image(1, "JPEG"))
    for each in (describer(), untrained):
        assert problems(_described(each, tmp_path / "one.jpg", TOLD[name])["content"]) == []


@pytest.mark.parametrize("name", EXIF)
def test_describe_any_exif_succeeds_without_leaking_exif(tmp_path: Path, name: str) -> None:
    (tmp_path / "plain.jpg").write_bytes(image(1, "JPEG"))
    (tmp_path / "one.jpg").write_bytes(image(1, "JPEG", exif=EXIF[name]()))
    plain = _described(describer(), tmp_path / "plain.jpg", UserInputs())
    line = _described(describer(), tmp_path / "one.jpg", UserInputs())
    assert line["sha256"] != plain["sha256"]
    if name != "a camera that is a number":
        assert line["content"] == plain["content"]
    assert not any(word in json.dumps(line) for word in ("Orbis", "DROP", "51.0"))
