"""A model that was not trained because its labels are missing: said in its folder, so that the pipeline goes on."""

from pathlib import Path

from heddle.core.stage import read_json, write_json

SKIPPED_FILE = "skipped.json"


def write_skipped(folder: Path, reason: str) -> None:
    """Say in a stage's output why there is no model, or nothing to measure.

    Args:
        folder: the stage's output.
        reason: a sentence that names what was missing and the remedy.
    """
    write_json(folder / SKIPPED_FILE, {"reason": reason})


def skip_reason(folder: Path) -> str | None:
    """Why the stage whose output this is made no model; None if it made one."""
    file = folder / SKIPPED_FILE
    return str(read_json(file)["reason"]) if file.is_file() else None
