"""A source that loses more than one listing in twenty is named, with the numbers."""

import pytest

from heddle.sources.losses import ListingCounts, find_losses


@pytest.mark.parametrize(("refused", "dropped", "warns"), [(0, 5, False), (5, 0, False), (3, 3, True), (0, 6, True)])
def test_warning_begins_above_five_percent(refused: int, dropped: int, warns: bool) -> None:
    assert bool(list(find_losses({"shop": ListingCounts(100 - refused - dropped, refused, dropped)}))) == warns


def test_warning_names_each_source_with_its_numbers() -> None:
    found = list(find_losses({"b": ListingCounts(9, 1, 0), "a": ListingCounts(30, 0, 99_970), "c": ListingCounts(9)}))
    assert len(found) == 2
    assert "source a: 99,970 of 100,000 listings are not used: 0 quarantined" in found[0]
    assert "99,970 duplicates" in found[0]
    assert "source b: 1 of 10 listings are not used: 1 quarantined" in found[1]
