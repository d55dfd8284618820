"""What a store does: publish a collection as a whole, and search what was published by words, vectors or both.

A reader sees the version that was published last, all of it and nothing else: never half an index, never a mixture of
two, and no gap between them. Publishing what is published already changes nothing. A publisher that is killed leaves
the old version answering; the next one removes what it left. One publisher at a time, any number of readers.
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

ID = "id"  # column of every collection: text, unique
NAME = re.compile(r"[a-z][a-z0-9_]*")
CANDIDATES = 100  # of each ranking, that a fusion of two is made from: Weaviate's own number


class StoreError(Exception):
    """The store cannot do it; the message says what failed, where, and what to do, and holds no secret."""


@dataclass(frozen=True, eq=False)
class Collection:
    """What is published under one name.

    Attributes:
        name: lower-case letters, digits and underscores.
        table: the rows; column `id` names each.
        vectors: columns of float32 lists of one length, of unit length each; a null or a vector of zeros is none.
        text: column that words are looked up in by BM25.
        k1: BM25's saturation of a term's frequency.
        b: BM25's weight of a text's length, in [0, 1].

    Raises:
        StoreError: columns are missing or of the wrong type, or ids are not unique.
    """

    name: str
    table: pa.Table
    vectors: tuple[str, ...]
    text: str
    k1: float
    b: float

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise StoreError(f"{self.name!r} is no name for a collection: use lower-case letters, digits and _")
        missing = {ID, self.text, *self.vectors} - set(self.table.column_names)
        if missing:
            raise StoreError(f"{self.name} has no column {', '.join(sorted(missing))}")
        wrong = [name for name in self.vectors if not is_vector(self.table.schema.field(name).type)]
        if wrong:
            raise StoreError(f"{self.name}: {', '.join(wrong)}: vectors must be fixed-size lists of float32")
        if len(self.table.column(ID).unique()) != self.table.num_rows:
            raise StoreError(f"{self.name}: ids must be unique")

    @cached_property
    def content(self) -> str:
        """16 hexadecimal digits that equal collections share and others do not: sha256 over rows and settings."""
        digest = hashlib.sha256(repr((self.name, self.vectors, self.text, self.k1, self.b)).encode())
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.table.schema) as stream:
            stream.write_table(self.table.combine_chunks())
        digest.update(sink.getvalue())
        return digest.hexdigest()[:16]

    def rows(self) -> pa.Table:
        """The table with null in the place of vectors of zeros, which have no direction to search by."""
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
    """A bound on a column that a hit must meet; null meets none.

    Attributes:
        column: any but the vectors and the text.
        operator: ``=``, ``<``, ``<=``, ``>`` or ``>=``.
        value: of the column's type.
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
        against: the column of vectors that `vector` is compared with.
        where: conditions that every hit meets.
        limit: most hits.
        fusion: how two rankings become one: ``ranks`` adds 1 / (60 + place) (reciprocal rank fusion, Cormack et al.,
            SIGIR 2009), ``scores`` adds scores stretched to [0, 1] among the candidates of each ranking.
        alpha: share of the vector in the sum, in [0, 1]; the rest is the words'.
        columns: what a hit brings of its row, besides its id.

    Raises:
        StoreError: there is nothing to look for, or a number is out of its range.
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
            raise StoreError("the query is empty: give some words or a vector")
        if (self.vector is None) != (self.against is None):
            raise StoreError("a query's vector and the column that it is held against belong together")
        if self.limit < 1:
            raise StoreError(f"the number of hits must be positive, found {self.limit}")
        if not 0 <= self.alpha <= 1:
            raise StoreError(f"alpha must be in [0, 1], found {self.alpha}")


@dataclass(frozen=True)
class StoreHit:
    """A row that answers a query.

    Attributes:
        id: the row's.
        score: cosine, BM25 or their fusion; larger is better.
        row: the columns that the query asked for.
    """

    id: str
    score: float
    row: Mapping[str, Any]


class Store(ABC):
    """Collections by name. Use it as a context, or close it."""

    @abstractmethod
    def publish(self, collection: Collection) -> str:
        """Put the collection in the place of what is published under its name. Returns the version's name.

        Raises:
            StoreError: it did not go; what was published before still answers.
        """

    @abstractmethod
    def count(self, name: str) -> int:
        """How many rows are published under a name.

        Raises:
            StoreError: nothing is, or the store does not answer.
        """

    @abstractmethod
    def search(self, name: str, query: StoreQuery) -> list[StoreHit]:
        """The best hits among what is published under a name, best first.

        Raises:
            StoreError: nothing is published, the query names a column that is not there, or there is no answer.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_vector(kind: pa.DataType) -> bool:
    """Whether a column's values are vectors: float32 lists of one length."""
    return pa.types.is_fixed_size_list(kind) and kind.value_type == pa.float32()


def check_columns(name: str, query: StoreQuery, columns: Sequence[str], vectors: Sequence[str]) -> None:
    """Whether a collection has the columns that a query names.

    Args:
        name: of the collection.
        query: what is looked for.
        columns: those of the collection that are no vectors.
        vectors: those that are.

    Raises:
        StoreError: it has not.
    """
    unknown = {*query.columns, *(condition.column for condition in query.where)} - set(columns)
    if unknown:
        raise StoreError(f"{name} has no column {', '.join(sorted(unknown))}; it has {', '.join(columns)}")
    if query.against and query.against not in vectors:
        raise StoreError(f"{name} has no vectors {query.against}; it has {', '.join(vectors)}")


def new_version(name: str, collection: Collection) -> str:
    """A name for a version of a collection that bears its content and was never used, so that nothing is built upon
    what a killed publish left."""
    return f"{name}_{collection.content}_{secrets.token_hex(4)}"


def versions(name: str, names: Iterable[str]) -> list[str]:
    """Those of the names that :func:`new_version` gave to versions of a collection."""
    return [version for version in names if re.fullmatch(rf"{re.escape(name)}_[0-9a-f]{{16}}_[0-9a-f]{{8}}", version)]


def content_of(version: str) -> str:
    """The content that a version's name bears."""
    return version.split("_")[-2]


def unpublished(name: str) -> StoreError:
    """The error of asking for what is not there."""
    return StoreError(f"nothing is published as {name}: make the asset published_index, `heddle run` does")


RANK_CONSTANT = 59
"""Of reciprocal rank fusion: Weaviate adds 1 / (60 + rank) with ranks from 0."""


def fuse(
    rankings: Sequence[Mapping[int, float]], weights: Sequence[float], fusion: Literal["ranks", "scores"]
) -> dict[int, float]:
    """One ranking of several.

    Args:
        rankings: row -> score, best first.
        weights: of each ranking.
        fusion: see :class:`StoreQuery`.

    Returns:
        row -> fused score, best first; rows of equal score in ascending order.
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
