"""Read parts of the catalogue's tables, so that memory holds few rows."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from heddle.core.schemas import BATCH


def iterate_rows(file: Path, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """Iterate over the rows of a Parquet table as dictionaries, with the given columns or all."""
    for batch in pq.ParquetFile(file).iter_batches(BATCH, columns=columns, use_threads=False):
        yield from batch.to_pylist()


def iterate_rows_at(file: Path, indices: Collection[int]) -> Iterator[dict[str, Any]]:
    """Iterate over the rows at these indices, in ascending order."""
    wanted = np.array(sorted(indices), dtype=int)
    if not len(wanted):
        return
    first = 0
    for batch in pq.ParquetFile(file).iter_batches(BATCH, use_threads=False):
        here = wanted[(first <= wanted) & (wanted < first + batch.num_rows)]
        yield from batch.take(pa.array(here - first)).to_pylist()
        first += batch.num_rows


def filter_rows(file: Path, mask: NDArray[np.bool_]) -> pa.Table:
    """Return the rows for which the mask is true."""
    rows = pq.ParquetFile(file)
    kept = []
    first = 0
    for number in range(rows.num_row_groups):
        group = rows.read_row_group(number, use_threads=False)
        kept.append(group.filter(pa.array(mask[first : first + group.num_rows])))
        first += group.num_rows
    return pa.concat_tables(kept) if kept else rows.schema_arrow.empty_table()
