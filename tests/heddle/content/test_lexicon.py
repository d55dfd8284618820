"""The lexicon on a small catalogue made up here, in other words than any shop's."""

import random
from pathlib import Path
from typing import Any

import pytest

from heddle.content.lexicon import ImageFacts, Lexicon, listing_facts

NAMES = {
    "kettle": ["kettle", "tea kettle"],
    "desk": ["desk", "writing table"],
    "table": ["table"],
    "rain hat": ["rain hat"],
}
STUFF = {"tin": ["tin"], "pine": ["pine", "pinewood"], "felt": ["felt"]}
COLOURS = {"grey": ["grey", "gray"], "lime": ["lime"], "red": ["red"]}
PROPS = ["pear", "drum"]
WAYS = {"left of": "to the left of it", "under": "under it", "in front of": "in front of it"}


def row(draw: random.Random, place: int) -> dict[str, Any]:
    item, material, colour = (draw.choice(sorted(words)) for words in (NAMES, STUFF, COLOURS))
    words_used = [draw.choice(words[value]) for words, value in ((COLOURS, colour), (STUFF, material), (NAMES, item))]
    others = [(draw.choice(sorted(COLOURS)), prop, draw.choice(sorted(WAYS))) for prop in PROPS[: draw.randrange(3)]]
    tail = " and ".join(f"a {tint} {prop} {WAYS[way]}" for tint, prop, way in others)
    return {
        "id": f"made:{place}",
        "item": item,
        "material": material,
        "alt_text": f"A {' '.join(words_used)}{draw.choice([' on a table top', ''])}{', with ' if tail else ''}{tail}.",
        "objects": [
            {"label": item, "attributes": [colour, material]},
            *({"label": prop, "attributes": [tint]} for tint, prop, _ in others),
        ],
        "relations": [{"subject": at, "predicate": way, "object": 0} for at, (_, _, way) in enumerate(others, start=1)],
    }


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    draw = random.Random(5)
    return [row(draw, place) for place in range(400)]


@pytest.fixture(scope="module")
def lexicon(rows: list[dict[str, Any]]) -> Lexicon:
    return Lexicon.fit(rows)


def test_what_held_out_texts_state_is_true(lexicon: Lexicon) -> None:
    draw = random.Random(6)
    for place in range(300):
        listing = row(draw, place)
        assert lexicon.read_facts(listing["alt_text"]) == listing_facts(listing), listing["alt_text"]


def test_both_spellings_stand_for_the_value(lexicon: Lexicon) -> None:
    assert lexicon.phrases["colour"][("grey",)] == lexicon.phrases["colour"][("gray",)] == "grey"
    assert lexicon.read_facts("A GRAY felt kettle").colour == "grey"


def test_the_longest_phrase_comes_first(lexicon: Lexicon) -> None:
    assert lexicon.read_facts("A red tin writing table.").item == "desk"
    assert lexicon.read_facts("A red tin table.").item == "table"
    assert lexicon.read_facts("A red tin rain hat on a table top").item == "rain hat"


def test_another_objects_colour_is_not_the_items(lexicon: Lexicon) -> None:
    assert lexicon.read_facts("A tin kettle, with a red pear under it.") == ImageFacts(
        "kettle", "tin", None, frozenset({("pear", "under")})
    )
    assert lexicon.read_facts("A lime kettle with a red pear").colour == "lime"


def test_relations_belong_to_the_object_before_them(lexicon: Lexicon) -> None:
    alt_text = "A red felt desk, with a red drum in front of it and a grey pear to the left of it."
    assert lexicon.read_facts(alt_text).relations == {("drum", "in front of"), ("pear", "left of")}
    assert lexicon.read_facts("A red felt desk, with a drum").relations == frozenset()


@pytest.mark.parametrize("text", ["", "...", "Lovely!", "\u6728\u306e\u6905\u5b50", "A B C " * 9])
def test_unknown_words_state_nothing(lexicon: Lexicon, text: str) -> None:
    assert lexicon.read_facts(text) == ImageFacts()


def test_it_comes_back_from_its_file(lexicon: Lexicon, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    lexicon.write(tmp_path)
    first = (tmp_path / "lexicon.json").read_bytes()
    assert Lexicon.from_folder(tmp_path) == lexicon
    Lexicon.fit(rows).write(tmp_path)
    assert (tmp_path / "lexicon.json").read_bytes() == first


def test_rows_may_lack_anything(rows: list[dict[str, Any]], lexicon: Lexicon) -> None:
    bare = [
        {"id": "a", "alt_text": None},
        {
            "id": "b",
            "alt_text": "A lime tin kettle",
            "item": None,
            "material": None,
            "objects": None,
            "relations": None,
        },
        {"id": "c", "alt_text": "A lime tin kettle", "objects": [{"label": "kettle", "attributes": None}]},
        {"id": "d", "item": "kettle", "objects": [], "relations": []},
    ]
    assert Lexicon.fit([*rows, *bare]) == lexicon
    assert (
        Lexicon.fit(bare).read_facts("A lime tin kettle")
        == Lexicon.fit([]).read_facts("A lime tin kettle")
        == ImageFacts()
    )


def test_truth_is_of_the_first_object() -> None:
    listing = {
        "item": "desk",
        "material": "pine",
        "objects": [{"label": "desk", "attributes": ["pine", "red"]}, {"label": "pear", "attributes": []}],
        "relations": [
            {"subject": 1, "predicate": "on", "object": 0},
            {"subject": 0, "predicate": "under", "object": 1},
        ],
    }
    assert listing_facts(listing) == ImageFacts("desk", "pine", None, frozenset({("pear", "on")}))
    assert listing_facts({}) == ImageFacts()


def test_what_a_later_phrase_made_needless_goes() -> None:
    """The word "side" alone tells the table until "on a table top" is known to come behind the item."""
    made = [("table", "A side table."), ("table", "A table."), ("phone", "A phone on a table top."), ("hat", "A hat.")]
    found = Lexicon.fit([{"item": item, "alt_text": text} for item, text in made for _ in range(5)])
    assert found.phrases["item"] == {("table",): "table", ("phone",): "phone", ("hat",): "hat"}
