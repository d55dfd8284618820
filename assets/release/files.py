"""Which files of a stage's folder a model consists of."""

from collections.abc import Iterable
from pathlib import Path

from heddle.core.stage import METRICS_FILE, StageError
from heddle.families.family import Release

MODEL_CARD = "README.md"
RECORDS = (METRICS_FILE, "history.csv", MODEL_CARD)
"""Records of the training, which no model needs to load."""


def release_files(folder: Path, stage: str, contents: Release) -> list[Path]:
    """The released files of a training stage's folder, by name.

    Args:
        folder: of the training stage.
        stage: its name, for the message.
        contents: what the release consists of.

    Raises:
        StageError: a file is missing without which the model does not load.
    """
    for name in contents.files:
        if not (folder / name).is_file():
            raise StageError(f"{folder / name} is missing: run `dvc repro {stage}`")
    return model_files(folder, (*contents.files, *contents.optional_files))


def model_files(folder: Path, patterns: Iterable[str] = ("*",)) -> list[Path]:
    """The files whose names match, without the training's records, by name."""
    found = {file for pattern in patterns for file in folder.glob(pattern) if file.is_file()}
    return sorted(file for file in found if file.name not in RECORDS)
