"""The stage `validated` on tables of two sizes: what a row more costs."""

import tracemalloc
from pathlib import Path

import pytest

from assets.validated.stage import validated
from heddle.core.schemas import TABLES
from heddle.core.stage import Stage
from tests.support.sound_catalogue import Tables, sound, write

FEW, MANY = 1_000, 4_000


def catalogue(folder: Path, rows: int) -> None:
    """That many listings, each with an image of its own, and nothing else."""
    image, listing = sound()["images"][0], sound()["listings"][0]
    images = [f"{number:064x}" for number in range(rows)]
    tables: Tables = {name: [] for name in TABLES} | {
        "images": [image | {"sha256": sha256} for sha256 in images],
        "listings": [listing | {"id": f"s:{sha256[-8:]}", "image": sha256} for sha256 in images],
    }
    folder.mkdir(parents=True)
    write(folder, tables)


def stage(folder: Path, rows: int, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The stage in a project of its own, with that many listings."""
    (folder / "scales").mkdir(parents=True)
    (folder / "scales/smoke.yaml").write_text("{}\n")
    (folder / "params.yaml").write_text("scale: smoke\n")
    (folder / "output").mkdir()
    catalogue(folder / "data/catalog", rows)
    monkeypatch.chdir(folder)
    return Stage("validated", folder / "output")


def peak(stage: Stage) -> int:
    """Most bytes that the stage had from Python at a time; Arrow's tables are not among them."""
    tracemalloc.start()
    try:
        validated(stage)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_a_row_more_costs_few_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    validated(stage(tmp_path / "first", 24, monkeypatch))  # loads what is kept
    few, many = (peak(stage(tmp_path / str(rows), rows, monkeypatch)) for rows in (FEW, MANY))
    assert (many - few) / (MANY - FEW) < 400  # about 260; with columns of Python objects about 560
