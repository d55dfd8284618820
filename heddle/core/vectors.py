"""Convert columns of vectors in Arrow tables to matrices."""

import numpy as np
import pyarrow as pa

NO_VECTORS = 1
"""Dimension of the vectors in a table without rows: the real one is unknown, and LanceDB rejects 0."""


def matrix(table: pa.Table, column: str) -> np.ndarray:
    """Convert a column of fixed-size lists without nulls to a float32 matrix (rows, dimensions)."""
    vectors = table.column(column).combine_chunks()
    return vectors.flatten().to_numpy().reshape(len(vectors), vectors.type.list_size)
