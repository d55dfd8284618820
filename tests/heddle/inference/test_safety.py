"""Safety sentences of guides: found by cues, word for word."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_shop.guide_topics import CAUTIONS, KINDS
from demo_shop.guides import guides
from heddle.inference.safety import find_safety_sentences

PLAIN = ("Sand along the grain.", "Leave it for a day!", "Where is the seam?", "Sew it row by row…")
CUED = (
    "Unplug the lamp first.",
    "⚠ 230 V inside!",
    "Das Messer ist scharf.",
    "Portez des gants.",
    "Use guantes.",
    "DO NOT mix it with bleach.",
)


@given(st.lists(st.sampled_from(PLAIN + CUED)), st.sampled_from([" ", "\n", "\n\n", "  "]))
def test_cued_sentences_are_found_word_for_word_in_order(sentences: list[str], joint: str) -> None:
    expected = list(dict.fromkeys(sentence for sentence in sentences if sentence in CUED))
    assert find_safety_sentences(joint.join(sentences)) == expected
    steps = joint.join(f"{number}. {sentence}" for number, sentence in enumerate(sentences, 1))
    assert find_safety_sentences(steps) == expected


@pytest.mark.parametrize("text", ["", "...", "Forward the parcel.", "A glass case.", "A notion.", "Swear and tear it."])
def test_words_that_contain_a_cue_are_no_cue(text: str) -> None:
    assert find_safety_sentences(text) == []


def test_caution_of_every_demo_guide_is_found() -> None:
    for guide in guides(7, 200):
        found = find_safety_sentences(guide.text(random.Random(guide.number)))
        assert CAUTIONS[KINDS[guide.material]] in found
        assert len(found) <= 2
