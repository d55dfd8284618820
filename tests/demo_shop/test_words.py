"""Alt text and caption are true, title and description leave out what they say they do, ceilings are right."""

from collections import Counter, defaultdict

import pytest

from demo_shop import Shop, phrases, vocabulary
from demo_shop.facts import facts, stream
from demo_shop.scene import RenderedScene
from demo_shop.upper_bounds import upper_bounds
from demo_shop.words import write

NOTHING = RenderedScene("studio", (), ())


def british(text: str) -> str:
    for word, american in phrases.AMERICAN.items():
        text = text.replace(american, word)
    return text.lower()


def test_alt_text_and_caption_are_true(shop: Shop) -> None:
    for number in range(shop.size):
        listing = shop.listing(number)
        truth, words, scene = listing.facts, listing.words, listing.image.scene
        for text in map(british, (words.alt_text, words.caption)):
            assert any(name in text for name in phrases.ITEM_NAMES[truth.item])
            assert any(name in text for name in phrases.MATERIAL_ADJECTIVES[truth.material])
            assert truth.colour in text
            others = {name for item in vocabulary.ITEMS if item != truth.item for name in phrases.ITEM_NAMES[item]}
            own = "".join(phrases.ITEM_NAMES[truth.item] + phrases.SURROUNDINGS[scene.background])
            assert not any(f" {name} " in f" {text} " for name in others if name not in own)
            shown = {thing.label for thing in scene.objects}
            assert not any(kind in text for kind in vocabulary.PROPS if kind not in shown)
        assert (truth.pattern == "plain") or truth.pattern in british(words.alt_text)
        for thing in scene.objects[1:]:
            assert f"{thing.attributes[0]} {thing.label}" in british(words.alt_text)


def test_title_and_description_leave_the_item_out_unless_they_state_it() -> None:
    stated = Counter()
    for number in range(600):
        truth = facts(5, number)
        words = write(truth, NOTHING, stream(5, "words", number))
        text = british(f"{words.title} {words.description}")
        stated.update(words.stated)
        if "item" not in words.stated:
            assert not any(f" {name} " in f" {text} " for name in phrases.ITEM_NAMES[truth.item])
        said = {
            purpose
            for purpose in vocabulary.PURPOSES
            for phrase in (*phrases.PURPOSE_TITLES[purpose], *phrases.PURPOSE_SENTENCES[purpose])
            if phrase.lower().rstrip(".") in text
        }
        assert said <= {truth.purpose}
    assert 0.58 < stated["item"] / 600 < 0.75  # 1 - (1 - 0.42)^2 = 0.66
    assert stated["purpose"] / 600 > 0.94


def test_misspellings_occur_but_only_in_title_and_description() -> None:
    differing = 0
    for number in range(300):
        truth = facts(5, number)
        words = write(truth, NOTHING, stream(5, "words", number))
        differing += any(word not in KNOWN for word in letters(f"{words.title} {words.description}"))
        assert all(word in KNOWN for word in letters(f"{words.alt_text} {words.caption}"))
    assert 0.08 < differing / 300 < 0.3


def letters(text: str) -> list[str]:
    return ["".join(filter(str.isalpha, word)) for word in british(text).split()]


def _known() -> set[str]:
    """Every word of the grammar."""
    texts: list[str] = ["photo of the our a an pair it is by with and small medium large it is large"]
    for table in (
        phrases.ITEM_NAMES, phrases.MATERIAL_ADJECTIVES, phrases.PURPOSE_TITLES, phrases.PURPOSE_SENTENCES,
        phrases.OPENINGS, phrases.CLOSINGS, phrases.SURROUNDINGS, phrases.PREDICATE_WORDS,
    ):  # fmt: skip
        texts += [text for texts_of_one in table.values() for text in texts_of_one]
    texts += [*phrases.THINGS, *phrases.MOODS, *phrases.ORIGINS, *vocabulary.COLOURS, *vocabulary.PATTERNS]
    return {word for text in texts for word in letters(text)}


KNOWN = _known() | {""}


def test_ceilings_agree_with_simulated_best_guesses() -> None:
    """A table of the commonest label for what is seen, learned on one part, scores about the ceiling on the other."""
    rows = []
    for number in range(12_000):
        truth = facts(11, number)
        stated = write(truth, NOTHING, stream(11, "words", number)).stated
        told = {"item"} if "item" in stated else stated - {"purpose"}
        said = tuple(getattr(truth, name) if name in told else None for name in ("item", "material", "colour"))
        purpose = truth.purpose if "purpose" in stated else None
        rows.append((truth, said, purpose))

    def score(see, label) -> float:  # type: ignore[no-untyped-def]
        scene: dict = defaultdict(Counter)
        for row in rows[:8000]:
            scene[see(row)][label(row)] += 1
        hits = sum(bool(scene[see(row)]) and scene[see(row)].most_common(1)[0][0] == label(row) for row in rows[8000:])
        return hits / 4000

    best = upper_bounds()
    product_class = lambda row: row[0].product_class  # noqa: E731
    assert score(lambda row: row[0].item, product_class) == pytest.approx(
        best["product_class_accuracy_from_image"], abs=0.025
    )
    assert score(lambda row: (row[1], row[2]), product_class) == pytest.approx(
        best["product_class_accuracy_from_words"], abs=0.03
    )
    assert score(lambda row: (row[0].item, row[2]), product_class) == pytest.approx(
        best["product_class_accuracy_from_both"], abs=0.02
    )
    assert score(lambda row: row[1], lambda row: row[0].item) == pytest.approx(
        best["item_accuracy_from_words"], abs=0.03
    )
    assert score(lambda row: (row[0].item, row[0].material), lambda row: row[0].bin) == pytest.approx(
        best["bin_accuracy_from_item_and_material"], abs=0.015
    )


def test_neither_image_nor_words_suffice_for_the_product_class(shop: Shop) -> None:
    best = shop.upper_bounds
    assert best["product_class_accuracy_from_image"] < 0.5
    assert best["product_class_accuracy_from_words"] < 0.85
    assert best["product_class_accuracy_from_both"] > 0.95
    assert best["bin_accuracy_from_material"] < 0.8
    assert 0.8 < best["link_prediction_auroc"] < 1
    assert 0.75 < best["preference_accuracy"] < 0.95


def test_bin_rule_has_exceptions() -> None:
    assert vocabulary.bin_of("mug", "steel", "silver") == "dry recycling"
    assert vocabulary.bin_of("table", "steel", "silver") == "recycling centre"
    assert vocabulary.bin_of("chair", "wood", "brown") == "wood and garden"
    assert vocabulary.bin_of("chair", "wood", "red") == "recycling centre"
    assert vocabulary.bin_of("clock", "cork", "beige") == "recycling centre"
    assert vocabulary.bin_of("lamp", "paper", "white") == "dry recycling"
