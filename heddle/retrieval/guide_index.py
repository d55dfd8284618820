"""The guides in ``data/index``: the files that stage `index` writes and that every retriever reads."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from heddle.core.schemas import read_table, write_table
from heddle.core.stage import read_json, write_json
from heddle.core.vectors import NO_VECTORS, matrix
from heddle.encoders.parameters import Encoder
from heddle.retrieval.lexical.bm25 import BM25Index

GUIDES_FILE = "guides.parquet"
BM25_FOLDER = "guides_bm25"
ENCODER_FILE = "guides_encoder.json"


def guides_schema(dimensions: int) -> pa.Schema:
    """Columns of guides.parquet; LanceDB and Weaviate import the vectors unchanged."""
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),  # guides.id
            pa.field("title", pa.string()),
            pa.field("text", pa.string(), nullable=False),
            pa.field("search_text", pa.string(), nullable=False),  # title and text, for keyword search in a store
            pa.field("embedding", pa.list_(pa.float32(), dimensions), nullable=False),  # of title and text, unit length
        ]
    )


def guide_text(guide: Mapping[str, Any]) -> str:
    """Full text of a guide, as encoders, BM25 and rerankers read it: the title, then the text."""
    return "\n".join(part for part in (guide["title"], guide["text"]) if part)


def write_guide_index(
    folder: Path, guides: Sequence[Mapping[str, Any]], vectors: NDArray[np.float32], encoder: Encoder, bm25: BM25Index
) -> None:
    """Write the guides with their vectors (N, D), the BM25 index of their texts, and the encoder for queries."""
    rows = [
        {**guide, "search_text": guide_text(guide), "embedding": vector}
        for guide, vector in zip(guides, vectors, strict=True)
    ]
    write_table(folder / GUIDES_FILE, rows, guides_schema(vectors.shape[1]))
    bm25.save(folder / BM25_FOLDER)
    write_json(folder / ENCODER_FILE, encoder.model_dump())


def write_empty_guide_index(folder: Path) -> None:
    """Write an index without guides: a table without rows."""
    write_table(folder / GUIDES_FILE, [], guides_schema(NO_VECTORS))


class GuideIndex:
    """The guides in memory. A guide is identified by its index, from 0, in the order of the ids.

    Args:
        table: of :func:`guides_schema`.
        bm25: of the texts of the guides; None without guides.
        encoder: that computed the vectors; None without guides.
    """

    def __init__(self, table: pa.Table, bm25: BM25Index | None, encoder: Encoder | None) -> None:
        self.ids: list[str] = table["id"].to_pylist()
        self.titles: list[str] = [title or "" for title in table["title"].to_pylist()]
        self.texts: list[str] = table["text"].to_pylist()
        self.vectors = matrix(table, "embedding") if self.ids else np.zeros((0, 0), np.float32)
        self.bm25, self.encoder = bm25, encoder

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read the files that the functions above write.

        Raises:
            FileNotFoundError: one of the files is missing.
        """
        table = read_table(folder / GUIDES_FILE)
        if not table.num_rows:
            return cls(table, None, None)
        encoder = Encoder.model_validate(read_json(folder / ENCODER_FILE))
        return cls(table, BM25Index.load(folder / BM25_FOLDER), encoder)

    def __len__(self) -> int:
        return len(self.ids)

    def full_text(self, index: int) -> str:
        """Full text of a guide: title and text."""
        return guide_text({"title": self.titles[index], "text": self.texts[index]})
