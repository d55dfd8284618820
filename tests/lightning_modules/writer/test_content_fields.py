"""The form of texts: what it forbids, and that taking it twice changes nothing."""

import unicodedata

from hypothesis import example, given, settings

from lightning_modules.writer.content_fields import (
    FIELDS,
    FORBIDDEN,
    INVISIBLE,
    SPACES,
    cut_at_word,
    fit_field,
    one_line,
)
from tests.support.content_values import texts, values, within


def test_spaces_are_those_that_python_splits_at() -> None:
    assert {code for code in range(0x110000) if chr(code).isspace()} == {
        0x20,
        *(code for first, last in SPACES for code in range(first, last + 1)),
    }


def test_every_control_and_surrogate_is_forbidden() -> None:
    for code in range(0x110000):
        if unicodedata.category(chr(code)) in ("Cc", "Cs", "Zl", "Zp"):
            assert within(code, FORBIDDEN), hex(code)


def test_no_normal_form_brings_back_what_is_forbidden_or_invisible() -> None:
    for code in range(0x110000):
        normal = unicodedata.normalize("NFC", chr(code))
        if normal != chr(code) and not within(code, (*FORBIDDEN, *INVISIBLE)):
            assert not any(within(ord(one), FORBIDDEN) for one in normal), hex(code)
            assert not within(ord(normal[0]), INVISIBLE), hex(code)


@given(text=texts(90))
def test_one_line(text: str) -> None:
    line = one_line(text)
    assert line == one_line(line) == unicodedata.normalize("NFC", line) == " ".join(line.split())
    assert not any(within(ord(one), FORBIDDEN) for one in line)
    assert not line or not within(ord(line[0]), INVISIBLE)


def test_words_stay() -> None:
    assert (
        one_line("  An  old\n\u201ccafe\u0301\u201d\u00a0chair, \u2028 100\u202f% <oak> \u202e")
        == "An old \u201ccaf\u00e9\u201d chair, 100 % <oak>"
    )
    assert one_line("\u200d\u0301 \ufe0f") == ""
    assert cut_at_word("a chair of oak", 10) == "a chair of"
    assert cut_at_word("a chair of oak", 9) == "a chair"
    assert cut_at_word("chairs", 4) == "chai"


@given(told=values())
@example(told={"body": [("p", "a" * 1499), ("p", "bb"), ("p", "c")], "tags": ["a", " a", "", "b"]})
@settings(deadline=None, max_examples=60)
def test_fitted_keeps_to_the_limits_and_settles(told: dict) -> None:
    for field in FIELDS:
        once = fit_field(field, told.get(field.name, ()) or "")
        assert once == fit_field(field, once)
        if field.kind == "line":
            assert len(once) <= field.limit
        elif field.kind == "list":
            assert len(once) <= field.most
            assert len(set(once)) == len(once)
            assert all(0 < len(item) <= field.limit for item in once)
        else:
            assert len(once) <= field.most
            assert all(text for _, text in once)
            assert sum(len(text) for _, text in once) <= field.limit
