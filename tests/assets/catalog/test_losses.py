"""A source that loses more than one listing in twenty is named, with the numbers."""

import pytest

from assets.catalog.losses import find_losses


def ids(source: str, count: int) -> list[str]:
    return [f"{source}:{number}" for number in range(count)]


@pytest.mark.parametrize(("refused", "dropped", "warns"), [(0, 5, False), (5, 0, False), (3, 3, True), (0, 6, True)])
def test_warning_begins_above_five_percent(refused: int, dropped: int, warns: bool) -> None:
    kept = 100 - refused - dropped
    assert bool(list(find_losses(ids("shop", kept), ids("shop", refused), ids("shop", dropped)))) == warns


def test_warning_names_each_source_with_its_numbers() -> None:
    found = list(find_losses([*ids("a", 30), *ids("b", 9)], ids("b", 1), ids("a", 99_970)))
    assert len(found) == 2
    assert "source a: 99,970 of 100,000 listings are not used: 0 quarantined" in found[0]
    assert "99,970 with the image of another listing" in found[0]
    assert "source b: 1 of 10 listings are not used: 1 quarantined" in found[1]
