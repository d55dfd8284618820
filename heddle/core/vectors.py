"""Columns of vectors in Arrow tables as matrices."""

import numpy as np
import pyarrow as pa

NO_VECTORS = 1
"""Dimensions of the vectors in a table without rows: nobody knows them, and LanceDB takes none of 0."""


def matrix(table: pa.Table, column: str) -> np.ndarray:
    """A column of fixed-size lists without nulls as float32 (rows, dimensions)."""
    vectors = table.column(column).combine_chunks()
    return vectors.flatten().to_numpy().reshape(len(vectors), vectors.type.list_size)
