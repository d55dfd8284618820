"""The catalogue's tables, of which no more is in memory than what is asked for."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from heddle.core.schemas import BATCH


def rows_in(file: Path, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """All rows of a Parquet table as dictionaries, of these columns or all."""
    for batch in pq.ParquetFile(file).iter_batches(BATCH, columns=columns, use_threads=False):
        yield from batch.to_pylist()


def rows_at(file: Path, places: Collection[int]) -> Iterator[dict[str, Any]]:
    """The rows at these places, counted from 0, in the order in which they stand."""
    wanted = np.array(sorted(places), dtype=int)
    if not len(wanted):
        return
    first = 0
    for batch in pq.ParquetFile(file).iter_batches(BATCH, use_threads=False):
        here = wanted[(first <= wanted) & (wanted < first + batch.num_rows)]
        yield from batch.take(pa.array(here - first)).to_pylist()
        first += batch.num_rows


def kept_of(file: Path, sound: NDArray[np.bool_]) -> pa.Table:
    """The rows that are sound."""
    rows = pq.ParquetFile(file)
    kept = []
    first = 0
    for number in range(rows.num_row_groups):
        group = rows.read_row_group(number, use_threads=False)
        kept.append(group.filter(pa.array(sound[first : first + group.num_rows])))
        first += group.num_rows
    return pa.concat_tables(kept) if kept else rows.schema_arrow.empty_table()
