"""The warning of ``heddle run`` about listings that are not used."""

from pathlib import Path

import pytest
from rich.console import Console

from dagster_project.losses import print_losses
from heddle.core.stage import write_json


@pytest.mark.parametrize(("duplicates", "warns"), [(5, False), (6, True)])
def test_losses_above_five_percent_are_printed(tmp_path: Path, duplicates: int, warns: bool) -> None:
    (tmp_path / "data/catalog").mkdir(parents=True)
    numbers = {"fetched": 100, "accepted": 100 - duplicates, "quarantined": 0, "duplicates": duplicates}
    write_json(tmp_path / "data/catalog/metrics.json", {f"listings_{name}": count for name, count in numbers.items()})
    console = Console(record=True, width=200)
    print_losses(tmp_path, console)
    assert ("6 of 100 listings are not used: 0 quarantined" in console.export_text()) == warns


def test_losses_without_a_catalogue_prints_nothing(tmp_path: Path) -> None:
    console = Console(record=True, width=200)
    print_losses(tmp_path, console)
    assert console.export_text() == ""
