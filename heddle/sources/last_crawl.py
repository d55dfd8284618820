"""When each remote source was last crawled: the modification time of an empty file outside the outputs.

The time must not be in an output, as equal inputs give equal bytes.
"""

from pathlib import Path

FOLDER = Path(".heddle/crawls")


def note_crawl(source: str) -> None:
    """Record that a source was crawled now."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / source).touch()


def read_last_crawl(source: str, root: Path = Path()) -> float | None:
    """Return when a source was last crawled in this project, seconds since the epoch; None if it never was."""
    try:
        return (root / FOLDER / source).stat().st_mtime
    except FileNotFoundError:
        return None
