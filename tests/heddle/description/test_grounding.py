"""Grounding: facts that no input gives are removed, and the fields agree with the alt text."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heddle.content.lexicon import KINDS, Lexicon
from heddle.description.grounding import Support, ground
from lightning_modules.writer.content_fields import FIELDS, fit_field

LEXICON = Lexicon(
    {
        "item": {("chair",): "chair", ("lamp",): "lamp"},
        "material": {("steel",): "steel", ("wooden",): "wood"},
        "colour": {("silver",): "silver", ("grey",): "grey"},
    },
    {("behind",): "behind"},
    {("chair",): "chair", ("lamp",): "lamp", ("hammer",): "hammer", ("candle",): "candle"},
)
ALT_TEXT = "A silver steel chair in a studio, with a hammer behind it."
SUPPORTED = ("A silver steel chair.", "The chair is silver.", "Behind the steel chair is a hammer.")
UNSUPPORTED = (
    "It costs 12.50 pounds.",
    "A small silver chair.",
    "A broken steel chair.",
    "A grey chair.",
    "A silver lamp.",
    "A wooden chair.",
    "A chair with a candle.",
    "Found in an attic.",
    "Ein kleiner silver chair.",
    "A silver chair for £9!",
)
NOTHING: dict[str, Any] = {"context": None, "objects": [], "relations": []}
texts = st.lists(st.sampled_from(SUPPORTED + UNSUPPORTED), min_size=1, max_size=5)


def _fields(sentences: list[str]) -> dict[str, Any]:
    text = " ".join(sentences)
    values = {"line": text, "list": sentences, "blocks": [("h2", "Details"), ("p", text), ("li", sentences[0])]}
    return {field.name: fit_field(field, values[field.kind]) for field in FIELDS} | {"alt_text": ALT_TEXT}


def _texts(fields: dict[str, Any]) -> list[str]:
    found: list[str] = []
    for value in fields.values():
        found += [value] if isinstance(value, str) else [each if isinstance(each, str) else each[1] for each in value]
    return found


@given(texts)
def test_no_unsupported_fact_remains(sentences: list[str]) -> None:
    grounded = ground(_fields(sentences), NOTHING, LEXICON)
    allowed = LEXICON.read_facts(ALT_TEXT)
    written = " ".join(_texts(grounded))
    for word in ("12", "9", "small", "broken", "attic", "kleiner", "lamp", "candle", "grey", "wooden"):
        assert word not in written
    for text in _texts(grounded):
        claimed = LEXICON.read_facts(text)
        assert all(getattr(claimed, kind) in (None, getattr(allowed, kind)) for kind in KINDS)
    assert all(grounded.get(field.name) for field in FIELDS if field.required)
    assert all(
        fit_field(field, grounded[field.name]) == grounded[field.name] for field in FIELDS if field.name in grounded
    )


@given(texts)
def test_grounding_twice_changes_nothing_more(sentences: list[str]) -> None:
    once = ground(_fields(sentences), NOTHING, LEXICON)
    assert ground(once, NOTHING, LEXICON) == once


@given(st.lists(st.sampled_from(SUPPORTED), min_size=1, max_size=3))
def test_supported_sentences_are_kept_word_for_word(sentences: list[str]) -> None:
    fields = _fields(sentences)
    assert ground(fields, NOTHING, LEXICON)["seo_description"] == fields["seo_description"]


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("A small silver chair.", {"objects": [{"label": "chair", "attributes": ["small"]}]}),
        ("A silver chair for 12.50 pounds.", {"context": {"preferences": ["the price is 12.50 pounds"]}}),
        ("A broken steel chair.", {"context": {"preferences": ["say that it is broken"]}}),
        ("A grey chair.", {"objects": [{"label": "chair", "attributes": ["grey"]}]}),
        (
            "A chair with a candle.",
            {"objects": [{"label": "chair", "attributes": []}, {"label": "candle", "attributes": []}]},
        ),
    ],
)
def test_facts_that_the_user_gives_may_be_stated(text: str, inputs: dict[str, Any]) -> None:
    assert not Support(ALT_TEXT, NOTHING, LEXICON).covers(text)
    assert Support(ALT_TEXT, NOTHING | inputs, LEXICON).covers(text)


def test_conflicting_tags_become_the_value_of_the_alt_text() -> None:
    fields = {**_fields([SUPPORTED[0]]), "tags": ["grey", "steel", "vintage", "wooden"]}
    assert ground(fields, NOTHING, LEXICON)["tags"] == ["silver", "steel"]


def test_parts_of_a_line_are_removed_one_by_one() -> None:
    fields = {
        **_fields([SUPPORTED[0]]),
        "title": "Silver chair \N{EN DASH} needs mending",
        "caption": "Found here: the chair.",
    }
    grounded = ground(fields, NOTHING, LEXICON)
    assert (grounded["title"], grounded["caption"]) == ("Silver chair", "The chair.")


def test_headings_without_text_are_removed() -> None:
    fields = {**_fields([SUPPORTED[0]]), "body": [("p", "A steel chair."), ("h2", "Details"), ("li", "Price: 9")]}
    assert ground(fields, NOTHING, LEXICON)["body"] == [("p", "A steel chair.")]


def test_content_is_unchanged_if_the_alt_text_states_no_known_fact() -> None:
    fields = {**_fields(list(UNSUPPORTED)), "alt_text": "Something unknown."}
    assert ground(fields, NOTHING, LEXICON) == fields
