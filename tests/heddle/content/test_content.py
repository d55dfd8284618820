"""Content, its HTML and its JSON: hostile words stay words."""

import json

import nh3
import pytest
from hypothesis import example, given, settings

from heddle.content.content import Content
from heddle.content.html import parse_blocks, render_html
from heddle.content.schema import SCHEMA_FILE, problems, schema_text
from lightning_modules.writer.content_fields import FIELDS, fit_field, one_line
from tests.support.content_values import blocks, values

HOSTILE = [
    "</p><script>alert(1)</script>",
    '"}], "title": "owned", "x": {"',
    "\\u003cscript\\u003e \\\\ \\",
    "<img src=x onerror=alert(1)>",
    "&lt;script&gt; &amp;amp; &#60;b&#62; &nbsp;",
    "<!-- --><![CDATA[ ]]><?php ?>",
    "\u0338\u0301 begins with a mark",
    "\u202eturned round\u202c \u2028\u2029\0\x1b[31m",
    "<ul><li>",
]
SOUND = {
    "alt_text": "A red wooden chair.",
    "title": "Red chair",
    "seo_title": "Red wooden chair | second-hand",
    "seo_description": "Buy a red wooden chair.",
    "body": [("p", "A red chair."), ("h2", "Details"), ("li", "wood"), ("li", "red"), ("p", "No returns.")],
}


@given(written=blocks(longest=60, most=8))
@example(written=[("li", text) for text in HOSTILE] + [("p", text) for text in HOSTILE])
@settings(deadline=None)
def test_blocks_come_back_from_html_that_needs_no_cleaning(written: list) -> None:
    markup = render_html(written)
    assert nh3.clean(markup) == markup
    assert parse_blocks(markup) == [(kind, line) for kind, text in written if (line := one_line(text))]
    assert render_html(parse_blocks(markup)) == markup


def test_html_by_hand() -> None:
    assert render_html(SOUND["body"]) == (
        "<p>A red chair.</p>\n<h2>Details</h2>\n<ul><li>wood</li><li>red</li></ul>\n<p>No returns.</p>"
    )
    assert render_html([("p", 'a < b & "c"')]) == '<p>a &lt; b &amp; "c"</p>'
    assert render_html([]) == ""


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("plain words", [("p", "plain words")]),
        ("<h1>A</h1><p>b<br>c</p>", [("h2", "A"), ("p", "b c")]),
        (
            "<ul><li><strong>Material:</strong> wood<ol><li><p>oak</p></ol></ul>d",
            [("li", "Material: wood"), ("li", "oak"), ("p", "d")],
        ),
        ("<p>one</p>two<div>three<p>four</div>five", [("p", word) for word in ("one", "two", "three", "four", "five")]),
        ("<p>a<script>alert('</p>')</script>b</p><style>p{}</style>", [("p", "ab")]),
        ("<table><tr><td>x</td><td>y</td></tr></table>", [("p", "x"), ("p", "y")]),
        ("</p></div><b>c", [("p", "c")]),
    ],
)
def test_any_markup_comes_down_to_blocks(markup: str, expected: list) -> None:
    assert parse_blocks(markup) == expected


@given(written=values(longest=40, most=12))
@settings(deadline=None, max_examples=50)
def test_fitted_fields_come_back_from_content_and_from_its_json(written: dict) -> None:
    fields = {field.name: value for field in FIELDS if (value := fit_field(field, written.get(field.name, "")))}
    content = Content.from_fields(fields)
    assert {name: value for name, value in content.fields().items() if value} == fields
    assert json.loads(json.dumps(content.as_json())) == content.as_json()
    expected = {field.name for field in FIELDS if field.required and field.name not in fields}
    assert {problem.split(":")[0].split(".")[-1] for problem in problems(content.as_json())} == {
        "content" if name == "body" else name for name in expected
    }


def test_a_listing_without_words_is_empty_content() -> None:
    assert Content.from_listing({"id": "a:1", "body": None, "tags": None}) == Content()
    assert Content.from_listing({"title": "A chair", "tags": ["oak"], "body": "<p>b</p>"}) == Content(
        title="A chair", tags=("oak",), body="<p>b</p>"
    )


def test_prose_is_what_a_person_reads() -> None:
    content = Content.from_fields({**SOUND, "description": "Old"})
    assert content.prose() == "Old. A red chair. Details. wood. red. No returns."


def test_the_published_schema_is_the_one_in_use() -> None:
    assert SCHEMA_FILE.read_text() == schema_text()


def test_sound_content_has_no_problems() -> None:
    assert problems(Content.from_fields(SOUND).as_json()) == []


LONG = "<p>" + "a" * 1501 + "</p>"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"title": ""}, "title"),
        ({"title": "a" * 61}, "title"),
        ({"title": 7}, "title"),
        ({"title": "a\u2028b"}, "title"),
        ({"title": "a\n"}, "title"),
        ({"title": "a\u202eb"}, "title"),
        ({"excerpt": "a" * 301}, "excerpt"),
        ({"tags": ["oak", "oak"]}, "tags"),
        ({"tags": [""]}, "tags.0"),
        ({"tags": [str(place) for place in range(11)]}, "tags"),
        ({"tags": ["a\ufeffb"]}, "tags"),
        ({"categories": ["a" * 61]}, "categories.0"),
        ({"featured_media": {"alt_text": "a" * 126, "caption": ""}}, "featured_media.alt_text"),
        ({"meta": {"seo_title": "a"}}, "meta"),
        ({"meta": {"seo_title": "a", "seo_description": "b" * 156}}, "meta.seo_description"),
        ({"more": 1}, "content as a whole"),
        ({"content": ""}, "content"),
        ({"content": "words"}, "content"),
        ({"content": "<p>a</p>\n"}, "content"),
        ({"content": "<p>a</p><script>b</script>"}, "content"),
        ({"content": "<p>a & b</p>"}, "content"),
        ({"content": "<p> a</p>"}, "content"),
        ({"content": LONG}, "content"),
        ({"content": "\n".join(["<p>a</p>"] * 41)}, "content"),
    ],
)
def test_each_fault_is_named_with_its_place(change: dict, place: str) -> None:
    found = problems({**Content.from_fields(SOUND).as_json(), **change})
    assert found
    assert {problem.split(":")[0] for problem in found} == {place}
