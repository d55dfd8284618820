"""The rubric by hand, and reading ease against textstat's own."""

import pytest
import textstat
from hypothesis import given
from hypothesis import strategies as st
from textstat.backend.counts import _count_syllables

from heddle.content.content import Content
from heddle.content.readability import readability, reading_ease
from heddle.content.rubric import RULES, Titles, seo_score, share_named, within

PROSE = st.lists(
    st.sampled_from(
        [
            "The",
            "old",
            "chair",
            "wants",
            "repair.",
            "Guitar!",
            "Wonderful,",
            "beautiful",
            "furniture?",
            "a-b",
            "don't",
            "7",
            "é",
        ]
    )
).map(" ".join)
BEST = Content(
    title="Red wooden chair with a straight back",
    alt_text="A red wooden chair in a garden.",
    seo_title="Red wooden chair with a straight back, second-hand shop",
    seo_description="Buy a red wooden chair with a straight back. " * 3,
    body="<p>A red wooden chair.</p>",
)


def test_content_that_keeps_every_rule_has_full_marks() -> None:
    score = seo_score(BEST, Titles({"a": "Blue glass vase"}), ("chair", "wood"))
    assert score.value == 1
    assert score.rules == {rule.name: 1.0 for rule in RULES}
    assert score.failed == ()


def test_nothing_has_no_marks_and_each_rule_says_what_to_do() -> None:
    score = seo_score(Content(), Titles({}), ("chair",))
    assert score.value == 0
    assert {rule.name for rule in score.failed} == {rule.name for rule in RULES}
    assert [rule.weight for rule in score.failed] == sorted((rule.weight for rule in RULES), reverse=True)
    assert all(rule.remedy for rule in score.failed)


def test_the_score_is_the_weighted_mean_of_the_rules_that_apply() -> None:
    score = seo_score(BEST, Titles({"a": BEST.title}), own="b")
    assert score.rules["unique_title"] == 0
    assert not any(name.startswith("keywords") for name in score.rules)
    assert score.value == pytest.approx(4 / 6)
    assert [rule.name for rule in score.failed] == ["unique_title"]


@pytest.mark.parametrize(("length", "expected"), [(0, 0), (25, 0.5), (50, 1), (60, 1), (120, 0.5)])
def test_lengths(length: int, expected: float) -> None:
    assert within(length, 50, 60) == expected


def test_likeness_by_hand() -> None:
    titles = Titles({"a": "red chair", "b": "a blue vase", "c": ""})
    assert titles.similarity("Red chair!") == 1
    assert titles.similarity("red chair", own="a") == 0
    assert titles.similarity("red vase") == pytest.approx(1 / 5)  # (, red) or (vase, ) of two pairs more each
    assert titles.similarity("lamp") == 0


def test_keywords_are_words_and_may_grow() -> None:
    assert share_named("Wooden chairs", ("chair", "wood")) == 1
    assert share_named("An armchair", ("chair",)) == 0
    assert share_named("One watering can", ("watering can", "steel")) == 0.5
    assert share_named("watering the can", ("watering can",)) == 0
    assert share_named("", ()) is None


@pytest.mark.parametrize("locale", ["de-DE", "fr-FR", "es-ES", "it-IT", "nl-NL"])
@given(text=PROSE)
def test_reading_ease_is_that_of_textstat(locale: str, text: str) -> None:
    textstat.set_lang(locale.replace("-", "_"))
    assert reading_ease(text, locale) == pytest.approx(textstat.flesch_reading_ease(text))


@given(text=PROSE)
def test_english_is_textstats_where_its_dictionary_knows_no_word(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_count_syllables, "get_cmudict", lambda lang: {})
        textstat.set_lang("en_US")
        assert reading_ease(text) == pytest.approx(textstat.flesch_reading_ease(text))


def test_readability_is_a_share_and_asks_nobody() -> None:
    easy = readability("The cat sat on the mat. It is red.")
    hard = readability(
        "Notwithstanding considerable organisational heterogeneity, multidimensional characterisation prevails"
    )
    assert 0 <= hard < 0.2 < 0.9 < easy <= 1
    assert readability("") == readability(" .") == 0
    assert readability("An old chair.", "xx-YY") == readability("An old chair.")
    assert readability("An old chair.", "en-IE") > 0
