"""Images, words and rows: what is taken, what is refused, and what is made harmless."""

import html
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from assets.catalog import image_tars
from assets.catalog.image_tars import write_images
from assets.catalog.images import ImageInfo, ImageRejectedError, examine_image
from assets.catalog.politeness import parse_retry_after
from assets.catalog.rows import MalformedError, build_listing_row, build_table_row
from heddle.core.html_text import one_line, plain_text, safe_html
from heddle.core.listing_text import without_markup
from heddle.core.schemas import IMAGES, write_table
from heddle.images.originals import Original

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))


def saved(path: Path, form: str, exif: Image.Exif | None = None, shade: int = 40) -> Path:
    image = Image.effect_mandelbrot((80, 60), (-2.5, -1.5, 1, 1.5), shade).convert("RGB")
    image.save(path, form, **({"exif": exif} if exif else {}))
    return path


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_whole_images_are_described(tmp_path: Path, form: str) -> None:
    image = examine_image(Original.whole(saved(tmp_path / "image", form)), 1e6)
    assert (image.format, image.width, image.height) == (form, 80, 60)
    assert len(image.perceptual_hash) * 8 == 256
    assert len(image.colours) == 192


@pytest.mark.parametrize(
    ("mode", "form"),
    [
        ("CMYK", "JPEG"),
        ("L", "JPEG"),
        ("1", "PNG"),
        ("P", "PNG"),
        ("LA", "PNG"),
        ("RGBA", "WEBP"),
        ("I;16", "PNG"),
        ("F", "TIFF"),
    ],
)
def test_images_of_any_mode_are_described(tmp_path: Path, mode: str, form: str) -> None:
    Image.linear_gradient("L").convert(mode).save(tmp_path / "image", form)
    assert len(set(examine_image(Original.whole(tmp_path / "image"), 1e6).colours)) > 1


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_cut_images_are_refused(tmp_path: Path, form: str, share: float) -> None:
    path = saved(tmp_path / "image", form)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ImageRejectedError) as caught:
        examine_image(Original.whole(path), 1e6)
    assert caught.value.reason == "image_truncated"


@given(
    content=st.binary(max_size=200),
    start=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\0\0\0\0WEBPVP8 "]),
)
def test_no_bytes_whatever_get_past_but_as_an_image(tmp_path_factory: Any, content: bytes, start: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes"
    path.write_bytes(start + content)
    with pytest.raises(ImageRejectedError):
        examine_image(Original.whole(path), 1e6)


def test_too_many_pixels_are_not_decoded(tmp_path: Path) -> None:
    with pytest.raises(ImageRejectedError) as caught:
        examine_image(Original.whole(saved(tmp_path / "image", "PNG")), 80 * 60 - 1)
    assert caught.value.reason == "image_too_large"


def test_exif_is_kept_without_the_place(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Loomtech"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExposureTime] = 0.5
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (51.0, 30.0, 26.0)
    image = examine_image(Original.whole(saved(tmp_path / "image", "JPEG", exif)), 1e6)
    assert image.exif == (("ExposureTime", "0.5"), ("Make", "Loomtech"))


def test_tars_are_split_and_hold_the_originals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images: list[ImageInfo] = [
        examine_image(Original.whole(saved(tmp_path / f"{n}", "PNG", shade=20 + n)), 1e6) for n in range(5)
    ]
    monkeypatch.setattr(image_tars, "MAX_TAR_BYTES", images[0].original.size * 2)
    rows = list(write_images(tmp_path, images[::-1]))
    assert write_table(tmp_path / "images.parquet", rows, IMAGES) == 5
    assert len({row["tar"] for row in rows}) > 1
    for row in rows:
        with tarfile.open(tmp_path / row["tar"]) as tar:
            member = tar.extractfile(row["sha256"])
            original = next(image for image in images if image.sha256 == row["sha256"])
            assert member is not None
            assert member.read() == original.original.read()


@given(text=words)
def test_escaped_text_comes_back_as_it_was(text: str) -> None:
    assert plain_text(html.escape(text)) == one_line(text)


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>steal()</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "<iframe src='http://evil.test'></iframe>",
        "<svg/onload=alert(1)>",
        "<a href='data:text/html;base64,AAAA'>x</a>",
        "<style>body{display:none}</style>",
        "<p style='background:url(javascript:x)' onclick='x'>y</p>",
    ],
)
@given(around=words)
def test_hostile_markup_is_made_harmless(hostile: str, around: str) -> None:
    body = safe_html(f"<p>{html.escape(around)}</p>{hostile}<b>kept</b>")
    assert not re.search(r"steal|alert|evil|base64|display|onclick|javascript", body.replace(html.escape(around), ""))
    assert "<b>kept</b>" in body


@given(
    markup=st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<b",
                ">",
                "&",
                "&amp;",
                "&lt;",
                "x",
                "'",
                '"',
                "<a href=",
                "=",
                "<!--",
                "<svg>",
                "<math>",
                "<style>",
                "</",
                " ",
            ]
        )
    ).map("".join)
)
def test_sanitising_twice_changes_nothing(markup: str) -> None:
    assert safe_html(safe_html(markup)) == safe_html(markup)


def test_words_of_blocks_do_not_grow_together() -> None:
    assert plain_text("<p>one</p><p>two<br>three</p><ul><li>four</li></ul>") == "one two three four"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"price": "12.50"}, ("price", 12.5)),
        ({"price": ""}, ("price", None)),
        ({"price": float("nan")}, ("price", None)),
        ({"tags": "a|b| "}, ("tags", ["a", "b"])),
        ({"tags": '["a", "b"]'}, ("tags", ["a", "b"])),
        ({"title": "A &amp; <i>B</i>"}, ("title", "A & B")),
        ({"item": 5}, ("item", "5")),
        ({"locale": "en-GB"}, ("context", {"site": None, "locale": "en-GB", "preferences": None})),
        (
            {"objects": [{"label": "chair", "box": [0, 0, 1, "0.5"]}]},
            ("objects", [{"label": "chair", "box": [0, 0, 1, 0.5], "attributes": []}]),
        ),
        ({}, ("context", None)),
    ],
)
def test_fields_are_read_as_what_they_should_be(fields: dict[str, Any], found: tuple[str, Any]) -> None:
    assert build_listing_row("shop", "1", fields)[found[0]] == found[1]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"price": "dear"}, "price"),
        ({"price": float("inf")}, "price"),
        ({"objects": "chair"}, "objects"),
        ({"objects": [{"label": "chair", "box": [0, 1]}]}, "expected a box of four numbers"),
        ({"relations": [{"subject": 0}]}, "relations"),
        ({"title": ["a"]}, "title: expected text"),
        ({"tags": {"a": 1}}, "tags: expected a list"),
    ],
)
def test_fields_that_cannot_be_read_are_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        build_listing_row("shop", "1", fields)


def test_rows_of_other_tables_fit_their_schema() -> None:
    assert build_table_row("qrels", "s", {"query": 1, "guide": "g", "relevance": "2"}) == {
        "query": "s:1",
        "guide": "s:g",
        "relevance": 2,
    }
    messages = [{"role": "user", "content": "hello"}]
    assert build_table_row("conversations", "s", {"id": "1", "messages": messages})["messages"] == messages
    for fields, message in (
        ({"query": "1", "guide": "g"}, "relevance is missing"),
        ({"query": "1", "guide": "g", "relevance": "x"}, "does not fit"),
    ):
        with pytest.raises(MalformedError, match=message):
            build_table_row("qrels", "s", fields)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None), (None, None), ("", None)],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value) == seconds


@pytest.mark.parametrize("part", ["<br ", "<", " ", "<!--", "<div>", "<b><i>"])
def test_text_of_long_hostile_markup_takes_linear_time(part: str) -> None:
    """A pattern that takes quadratic time would need hours here."""
    hostile = part * 500_000 + "<"
    assert len(plain_text(hostile)) <= len(hostile)
    assert len(without_markup(hostile)) <= len(hostile)
    assert "<" not in safe_html(hostile + "<script>")
