"""The interface of a store: publish whole collections atomically, and search them by words, vectors or both.

Readers always see exactly one complete version of a collection, without a gap between versions. Publishing the same
content again changes nothing. If a publisher is killed, the old version stays published, and the next publish removes
the unfinished one. One publisher at a time, any number of readers.
"""

import hashlib
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from heddle.core.vectors import matrix
from heddle.retrieval.fusion import reciprocal_rank_fusion, weighted_fusion
from heddle.retrieval.ranking import Ranking

ID = "id"
"""Column of every collection: unique text."""
NAME = re.compile(r"[a-z][a-z0-9_]*")
CANDIDATES = 100
"""Rows of each ranking that are fused, as in Weaviate."""


class StoreError(Exception):
    """A store operation failed. The message contains what failed, where, and what to do, but no secret."""


@dataclass(frozen=True, eq=False)
class Collection:
    """A table that is published under one name.

    Attributes:
        name: lower-case letters, digits and underscores.
        table: the rows, with a unique column `id`.
        vectors: columns of unit vectors: fixed-size lists of float32. Null or zeros mean no vector.
        text: column that BM25 searches.
        k1: BM25's saturation of a term's frequency.
        b: BM25's weight of a text's length, in [0, 1].

    Raises:
        StoreError: a column is missing or has the wrong type, or ids are not unique.
    """

    name: str
    table: pa.Table
    vectors: tuple[str, ...]
    text: str
    k1: float
    b: float

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise StoreError(f"invalid name of a collection: {self.name!r}; allowed: lower-case letters, digits and _")
        missing = {ID, self.text, *self.vectors} - set(self.table.column_names)
        if missing:
            raise StoreError(f"{self.name} has no column {', '.join(sorted(missing))}")
        wrong = [name for name in self.vectors if not is_vector(self.table.schema.field(name).type)]
        if wrong:
            raise StoreError(f"{self.name}: {', '.join(wrong)}: vector columns must be fixed-size lists of float32")
        if len(self.table.column(ID).unique()) != self.table.num_rows:
            raise StoreError(f"{self.name}: ids must be unique")

    @cached_property
    def content(self) -> str:
        """Content hash: the first 16 hexadecimal digits of the SHA-256 of rows and settings."""
        digest = hashlib.sha256(repr((self.name, self.vectors, self.text, self.k1, self.b)).encode())
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.table.schema) as stream:
            stream.write_table(self.table.combine_chunks())
        digest.update(sink.getvalue())
        return digest.hexdigest()[:16]

    def rows(self) -> pa.Table:
        """The table with nulls instead of zero vectors, whose cosine is undefined."""
        table = self.table
        for name in self.vectors:
            column = table.column(name).combine_chunks()
            zeros = pa.scalar([0.0] * column.type.list_size, column.type)
            filled = pa.table({name: pc.if_else(column.is_valid(), column, zeros)})
            present = pa.array(matrix(filled, name).any(axis=1))
            column = pc.if_else(present, column, pa.scalar(None, column.type))
            table = table.set_column(table.column_names.index(name), name, column)
        return table


@dataclass(frozen=True)
class Condition:
    """A filter on a column. Null never matches.

    Attributes:
        column: a column other than the vectors and the text.
        operator: ``=``, ``<``, ``<=``, ``>`` or ``>=``.
        value: a value of the column's type.
    """

    column: str
    operator: Literal["=", "<", "<=", ">", ">="]
    value: str | int | float | bool


@dataclass(frozen=True, eq=False)
class StoreQuery:
    """What is looked for: words, a vector, or both.

    Attributes:
        text: words, ranked by BM25.
        vector: float32 (dimensions,) of unit length, ranked by cosine.
        against: the vector column that `vector` is compared with.
        where: conditions that every hit must meet.
        limit: number of hits.
        fusion: how two rankings are fused: ``ranks`` adds 1 / (60 + rank) (reciprocal rank fusion, Cormack et al.,
            SIGIR 2009), ``scores`` adds min-max normalised scores of each ranking's candidates.
        alpha: weight of the vector ranking, in [0, 1]; the keyword ranking has 1 - alpha.
        columns: columns of a hit's row to return besides its id.

    Raises:
        StoreError: the query is empty, or a number is out of range.
    """

    text: str | None = None
    vector: np.ndarray | None = None
    against: str | None = None
    where: tuple[Condition, ...] = ()
    limit: int = 10
    fusion: Literal["ranks", "scores"] = "ranks"
    alpha: float = 0.5
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.vector is None and (self.text is None or not self.text.strip()):
            raise StoreError("the query is empty: pass a text or a vector")
        if (self.vector is None) != (self.against is None):
            raise StoreError("vector and against must be passed together")
        if self.limit < 1:
            raise StoreError(f"limit must be positive, found {self.limit}")
        if not 0 <= self.alpha <= 1:
            raise StoreError(f"alpha must be in [0, 1], found {self.alpha}")


@dataclass(frozen=True)
class StoreHit:
    """A row that matches a query.

    Attributes:
        id: id of the row.
        score: cosine, BM25 or their fusion; higher is better.
        row: the columns that the query names.
    """

    id: str
    score: float
    row: Mapping[str, Any]


class Store(ABC):
    """Published collections by name. Close the store, or use it as a context manager."""

    @abstractmethod
    def publish(self, collection: Collection) -> str:
        """Publish a collection, which replaces the published version of this name. Returns the version's name.

        Raises:
            StoreError: publishing failed; the previous version stays published.
        """

    @abstractmethod
    def count(self, name: str) -> int:
        """The number of rows that are published under a name.

        Raises:
            StoreError: nothing is published under this name, or the store does not respond.
        """

    @abstractmethod
    def search(self, name: str, query: StoreQuery) -> list[StoreHit]:
        """The best hits in the published collection of a name, best first.

        Raises:
            StoreError: nothing is published, the query names an unknown column, or the store does not respond.
        """

    @abstractmethod
    def close(self) -> None:
        """Close files and connections."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_vector(kind: pa.DataType) -> bool:
    """Whether a column's values are vectors: float32 lists of one length."""
    return pa.types.is_fixed_size_list(kind) and kind.value_type == pa.float32()


def check_columns(name: str, query: StoreQuery, columns: Sequence[str], vectors: Sequence[str]) -> None:
    """Check that a collection has the columns that a query names.

    Args:
        name: name of the collection.
        query: the query.
        columns: columns of the collection without vectors.
        vectors: its vector columns.

    Raises:
        StoreError: a column is missing.
    """
    unknown = {*query.columns, *(condition.column for condition in query.where)} - set(columns)
    if unknown:
        raise StoreError(f"{name} has no column {', '.join(sorted(unknown))}; it has {', '.join(columns)}")
    if query.against and query.against not in vectors:
        raise StoreError(f"{name} has no vector column {query.against}; it has {', '.join(vectors)}")


def new_version(name: str, collection: Collection) -> str:
    """A new name for a version of a collection: its content hash and a random suffix.

    The suffix prevents that a publish continues the unfinished version of a killed one.
    """
    return f"{name}_{collection.content}_{secrets.token_hex(4)}"


def versions(name: str, names: Iterable[str]) -> list[str]:
    """The names that :func:`new_version` made for versions of a collection."""
    return [version for version in names if re.fullmatch(rf"{re.escape(name)}_[0-9a-f]{{16}}_[0-9a-f]{{8}}", version)]


def content_of(version: str) -> str:
    """The content hash in a version's name."""
    return version.split("_")[-2]


def unpublished(name: str) -> StoreError:
    """The error for a collection that is not published."""
    return StoreError(f"{name} is not published: run `heddle run`, or materialise the asset published_index")


RANK_CONSTANT = 59
"""Of reciprocal rank fusion: Weaviate adds 1 / (60 + rank) with ranks from 0."""


def fuse(
    rankings: Sequence[Mapping[int, float]], weights: Sequence[float], fusion: Literal["ranks", "scores"]
) -> dict[int, float]:
    """Fuse rankings.

    Args:
        rankings: row to score, best first.
        weights: weight of each ranking.
        fusion: see :class:`StoreQuery`.

    Returns:
        Row to fused score, best first; rows of equal score in ascending order.
    """
    weighted = [(_ranking(scores), weight) for scores, weight in zip(rankings, weights, strict=True) if weight]
    parts, nonzero = [ranking for ranking, _ in weighted], [weight for _, weight in weighted]
    if fusion == "ranks":
        fused = reciprocal_rank_fusion(parts, RANK_CONSTANT, nonzero)
    else:
        fused = weighted_fusion(parts, nonzero)
    return dict(zip(fused.indices.tolist(), fused.scores.tolist(), strict=True))


def _ranking(scores: Mapping[int, float]) -> Ranking:
    return Ranking(np.array(list(scores), np.int64), np.array(list(scores.values()), np.float64))
