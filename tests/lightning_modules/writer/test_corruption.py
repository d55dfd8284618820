import numpy as np
import pytest

from lightning_modules.writer.corruption import Corruption

PHRASES = {
    "colour": {"red": "red", "dark red": "crimson", "navy": "blue", "blue": "blue"},
    "item": {"jar": "jar", "lamp": "lamp"},
    "material": {"oak": "wood", "wooden": "wood"},
}


def _all(text: str, phrases: dict[str, dict[str, str]] = PHRASES) -> set[str | None]:
    return {Corruption(phrases)(text, np.random.default_rng(seed)) for seed in range(100)}


def test_one_phrase_is_swapped_for_another_value_of_its_kind() -> None:
    assert _all("A blue jar.") == {"A red jar.", "A dark red jar.", "A blue lamp."}


def test_the_longest_phrase_counts_and_capitals_stay() -> None:
    assert _all("Dark red jars, barred.") == {"Red jars, barred.", "Navy jars, barred.", "Blue jars, barred."}


@pytest.mark.parametrize("text", ["", "A big chair.", "An oak wooden chair.", "ir̂on", "İ red"])
def test_what_states_nothing_that_could_be_otherwise_stays(text: str) -> None:
    assert _all(text) == {None}


def test_the_same_draw_makes_the_same_error() -> None:
    one, other = (Corruption(PHRASES)("A red jar.", np.random.default_rng(4)) for _ in range(2))
    assert one == other
    assert one is not None
