"""What a site has ever told, kept beside the cache, so that the listings that are gone from it can be named.

Only for sites: the history of a file is kept by its owner. An id that comes back is gone no more; until then it stays
among the tombstones, so that a crawl that is run again says the same.
"""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from heddle.core.schemas import TOMBSTONES, read_rows, write_table
from heddle.core.stage import StageError

LEDGERS = Path(".heddle/ledgers")


class Ledger:
    """The ledger of one source."""

    def __init__(self, source: str) -> None:
        self._file = LEDGERS / f"{source}.parquet"

    def gone(self, told: Collection[str]) -> list[dict[str, Any]]:
        """Rows of `tombstones`: listings that an earlier crawl brought and that are not among those told now.

        Raises:
            StageError: the ledger cannot be read.
        """
        return [row for id_, row in self._known().items() if id_ not in told]

    def add(self, listings: Mapping[str, Mapping[str, Any]]) -> None:
        """Remember listings by id, as rows of `tombstones`."""
        known = {**self._known(), **listings}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(f".{os.getpid()}")
        write_table(temporary, [known[id_] for id_ in sorted(known)], TOMBSTONES)
        temporary.rename(self._file)

    def _known(self) -> dict[str, dict[str, Any]]:
        try:
            return {row["id"]: row for row in read_rows(self._file)} if self._file.is_file() else {}
        except (pa.ArrowException, OSError) as error:
            raise StageError(f"{self._file} cannot be read ({error}); delete it to begin a new one") from error
