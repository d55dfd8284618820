"""The warning of ``heddle run``, and the asset check, about listings that are not used."""

from pathlib import Path

import dagster as dg
import pytest
from rich.console import Console

from dagster_project.losses import check_losses, print_losses
from heddle.core.stage import write_json


def _catalog(root: Path, duplicates: int) -> None:
    (root / "data/catalog").mkdir(parents=True)
    counts = {"accepted": 100 - duplicates, "quarantined": 0, "duplicates": duplicates}
    write_json(root / "data/catalog/metrics.json", {"sources": {"shop": counts}})


@pytest.mark.parametrize(("duplicates", "warns"), [(5, False), (6, True)])
def test_losses_above_five_percent_are_reported(tmp_path: Path, duplicates: int, warns: bool) -> None:
    _catalog(tmp_path, duplicates)
    console = Console(record=True, width=200)
    print_losses(tmp_path, console)
    check = check_losses(tmp_path)
    sentence = "source shop: 6 of 100 listings are not used: 0 quarantined"
    assert (sentence in console.export_text()) == warns
    assert (sentence in (check.description or "")) == warns
    assert (check.passed, check.severity) == (not warns, dg.AssetCheckSeverity.WARN)


def test_losses_without_a_catalogue_prints_nothing(tmp_path: Path) -> None:
    console = Console(record=True, width=200)
    print_losses(tmp_path, console)
    assert console.export_text() == ""
