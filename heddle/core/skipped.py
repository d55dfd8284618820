"""Record in a stage's output that a model was skipped, for example without labels, so that the pipeline continues."""

from pathlib import Path

from heddle.core.stage import read_json, write_json

SKIPPED_FILE = "skipped.json"


def write_skipped(folder: Path, reason: str) -> None:
    """Record why a stage produced no model or no metrics.

    Args:
        folder: output folder of the stage.
        reason: a sentence with what is missing and what to do.
    """
    write_json(folder / SKIPPED_FILE, {"reason": reason})


def skip_reason(folder: Path) -> str | None:
    """Return why the stage with this output folder was skipped; None if it was not."""
    file = folder / SKIPPED_FILE
    return str(read_json(file)["reason"]) if file.is_file() else None
