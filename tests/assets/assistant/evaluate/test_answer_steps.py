import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.assistant.evaluate.answer_steps import named, steps

REFERENCE = "Gladly. Get oil ready. 1. Drip oil on the thread. 2. Wait a quarter of an hour. 3. Turn it to and fro."


def test_numbered_items_are_the_steps() -> None:
    assert steps(REFERENCE) == ["Drip oil on the thread.", "Wait a quarter of an hour.", "Turn it to and fro."]
    assert steps("1) Sand it\n2) Oil it") == ["Sand it", "Oil it"]
    assert steps("Use 2.5 litres of water. Rinse it well.") == ["Use 2.5 litres of water.", "Rinse it well."]
    assert steps("把瓶子拿到回收站去。然后安静地回家吧。") == ["把瓶子拿到回收站去。", "然后安静地回家吧。"]
    assert steps("") == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (REFERENCE, [True, True, True]),
        ("First DRIP oil on the thread; then turn it, to and fro!", [True, False, True]),
        ("Oil the thread, drip by drip. Wait.", [False, False, False]),  # the words are there, the step is not
        ("", [False, False, False]),
    ],
)
def test_a_step_is_named_where_its_words_stand_in_a_row(said: str, expected: list[bool]) -> None:
    assert named(said, steps(REFERENCE)) == expected


@given(st.lists(st.sampled_from(["glue the leg", "clamp it overnight", "rinse the jar", "sand it"]), unique=True))
def test_an_answer_names_its_own_steps_and_no_others(some: list[str]) -> None:
    answer = " ".join(f"{number}. {step}." for number, step in enumerate(some, 1))
    assert steps(answer) == [f"{step}." for step in some]
    everything = ["glue the leg", "clamp it overnight", "rinse the jar", "sand it"]
    assert named(answer, everything) == [step in some for step in everything]
