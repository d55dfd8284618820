import random

import pytest

from assets.tokenizer.parameters import TokenizerParameters
from assets.tokenizer.stage import learn
from lightning_modules.assistant.chat import make_chat_tokenizer
from lightning_modules.assistant.copying import make_copy_task, split_sentences, swap_sentences
from lightning_modules.assistant.packing import IGNORED

SOURCE = "Mending\nA loose leg. 1. Glue the leg. 2. Clamp it overnight. Mind your hands."
ANSWER = "Gladly. 1. Glue the leg. 2. Clamp it overnight."


def test_shared_sentences_are_swapped_in_both_and_nothing_else() -> None:
    (source,), (answer,) = swap_sentences([SOURCE], [ANSWER], ["Dance a jig."], random.Random(0))
    assert source == "Mending\nA loose leg. 1. Dance a jig. 2. Dance a jig. Mind your hands."
    assert answer == "Gladly. 1. Dance a jig. 2. Dance a jig."


def test_an_answer_that_quotes_nothing_stays() -> None:
    assert swap_sentences([SOURCE], ["Throw it away."], ["Dance a jig."], random.Random(0)) == (
        [SOURCE],
        ["Throw it away."],
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ANSWER, ["Glue the leg.", "Clamp it overnight."]),
        ("把瓶子拿到回收站去。然后安静地回家吧。", ["把瓶子拿到回收站去。", "然后安静地回家吧。"]),
        ("", []),
    ],
)
def test_sentences_in_any_script(text: str, expected: list[str]) -> None:
    assert [one for one in split_sentences(text) if one != "Gladly."] == expected


def test_an_echo_learns_the_second_time_only() -> None:
    tokenizer = make_chat_tokenizer(learn(["a few words"], TokenizerParameters(vocab_size=300, min_frequency=2)), 64)
    for seed in range(20):
        piece = make_copy_task(tokenizer, 9, random.Random(seed))
        half = len(piece.ids) // 2
        said, again = piece.ids[1:half], piece.ids[half + 1 : -1]
        assert said == again
        assert 2 <= len(said) <= 9
        assert not set(said) & set(tokenizer.all_special_ids)
        assert piece.labels[: half + 1] == [IGNORED] * (half + 1)
        assert piece.labels[half + 1 :] == piece.ids[half + 1 :]
