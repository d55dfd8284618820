"""Which files of a stage's folder a model consists of."""

from collections.abc import Iterable
from pathlib import Path

from assets.release.families import Family
from heddle.core.stage import METRICS_FILE, StageError

MODEL_CARD = "README.md"
RECORDS = (METRICS_FILE, "history.csv", MODEL_CARD)
"""Of the training; no model needs them to load."""


def family_files(folder: Path, family: Family) -> list[Path]:
    """What is released of a stage's folder, by name.

    Raises:
        StageError: a file is missing without which the model does not load.
    """
    for name in family.files:
        if not (folder / name).is_file():
            raise StageError(f"{folder / name} is missing: run `dvc repro {family.name}`")
    return model_files(folder, (*family.files, *family.files_if_made))


def model_files(folder: Path, patterns: Iterable[str] = ("*",)) -> list[Path]:
    """The files whose names match, records left out, by name."""
    found = {file for pattern in patterns for file in folder.glob(pattern) if file.is_file()}
    return sorted(file for file in found if file.name not in RECORDS)
