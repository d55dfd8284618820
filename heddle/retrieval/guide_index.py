"""The guides in ``data/index``: the files that stage `index` writes and that every retriever reads."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from heddle.core.schemas import write_table
from heddle.core.stage import read_json, write_json
from heddle.core.vectors import NO_VECTORS, matrix
from heddle.encoders.parameters import Encoder
from heddle.retrieval.lexical.bm25 import WordIndex

GUIDES_FILE = "guides.parquet"
WORDS_FOLDER = "guides_bm25"
ENCODER_FILE = "guides_encoder.json"


def guides_schema(dimensions: int) -> pa.Schema:
    """Columns of guides.parquet; LanceDB and Weaviate take the vectors as they are."""
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),  # guides.id
            pa.field("title", pa.string()),
            pa.field("text", pa.string(), nullable=False),
            pa.field("words", pa.string(), nullable=False),  # title and text, what a store looks words up in
            pa.field("embedding", pa.list_(pa.float32(), dimensions), nullable=False),  # unit length, of title and text
        ]
    )


def words_of(guide: Mapping[str, Any]) -> str:
    """All that a guide says, as encoders, BM25 and rerankers read it: the title, then the text."""
    return "\n".join(part for part in (guide["title"], guide["text"]) if part)


def write_library(
    folder: Path, guides: Sequence[Mapping[str, Any]], vectors: NDArray[np.float32], encoder: Encoder, words: WordIndex
) -> None:
    """Write the guides with their vectors (N, D), BM25 over their words, and which encoder to ask with."""
    rows = [
        {**guide, "words": words_of(guide), "embedding": vector} for guide, vector in zip(guides, vectors, strict=True)
    ]
    write_table(folder / GUIDES_FILE, rows, guides_schema(vectors.shape[1]))
    words.save(folder / WORDS_FOLDER)
    write_json(folder / ENCODER_FILE, encoder.model_dump())


def write_empty_library(folder: Path) -> None:
    """Write that there are no guides: a table without rows."""
    write_table(folder / GUIDES_FILE, [], guides_schema(NO_VECTORS))


class GuideIndex:
    """The guides, opened; a guide is known by its place, from 0, and places follow the ids.

    Args:
        table: of :func:`guides_schema`.
        words: BM25 over the guides' words; None where there are no guides.
        encoder: what made the vectors; None where there are no guides.
    """

    def __init__(self, table: pa.Table, words: WordIndex | None, encoder: Encoder | None) -> None:
        self.ids: list[str] = table["id"].to_pylist()
        self.titles: list[str] = [title or "" for title in table["title"].to_pylist()]
        self.texts: list[str] = table["text"].to_pylist()
        self.vectors = matrix(table, "embedding") if self.ids else np.zeros((0, 0), np.float32)
        self.words, self.encoder = words, encoder

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read what the functions above wrote.

        Raises:
            FileNotFoundError: a file of it is missing.
        """
        table = pq.read_table(folder / GUIDES_FILE)
        if not table.num_rows:
            return cls(table, None, None)
        encoder = Encoder.model_validate(read_json(folder / ENCODER_FILE))
        return cls(table, WordIndex.load(folder / WORDS_FOLDER), encoder)

    def __len__(self) -> int:
        return len(self.ids)

    def said(self, place: int) -> str:
        """All that the guide at a place says."""
        return words_of({"title": self.titles[place], "text": self.texts[place]})
