"""Keep the history of a site's listings beside the cache, so that removed listings can be recorded as tombstones.

Only crawled sites have a history; the owner of a file keeps its history. A removed id stays among the tombstones until
it comes back, so that a repeated crawl gives the same tombstones.
"""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from heddle.core.schemas import TOMBSTONES, read_rows, write_table
from heddle.core.stage import StageError

HISTORY_FOLDER = Path(".heddle/ledgers")
"""Keep this path: another one would lose the history of existing projects."""


class CrawlHistory:
    """All listings that crawls of one source have found so far."""

    def __init__(self, source: str) -> None:
        self._file = HISTORY_FOLDER / f"{source}.parquet"

    def find_removed(self, ids: Collection[str]) -> list[dict[str, Any]]:
        """Return rows of `tombstones`: listings of an earlier crawl whose ids are not in `ids`.

        Raises:
            StageError: the history cannot be read.
        """
        return [row for id_, row in self._read().items() if id_ not in ids]

    def add(self, listings: Mapping[str, Mapping[str, Any]]) -> None:
        """Add listings to the history: rows of `tombstones` by id."""
        history = {**self._read(), **listings}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(f".{os.getpid()}")
        write_table(temporary, [history[id_] for id_ in sorted(history)], TOMBSTONES)
        temporary.rename(self._file)

    def _read(self) -> dict[str, dict[str, Any]]:
        if not self._file.is_file():
            return {}
        try:
            return {row["id"]: row for row in read_rows(self._file)}
        except (pa.ArrowException, OSError) as error:
            raise StageError(f"{self._file}: cannot be read ({error}); delete it to start a new history") from error
