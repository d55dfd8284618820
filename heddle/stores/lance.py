"""Embedded LanceDB: one table for each version of a collection, and a file with the names of the published tables.

LanceDB replaces a table's rows in one commit and its full-text index in a second one. Between the two, keyword search
works without stemming, and a hybrid search may mix two versions. LanceDB also cannot remove old versions around a
tagged one. So each version is a table of its own, which an atomic rename of one file publishes when it is complete. The
previous version is kept until the next publish, for readers that have its table open.

Keyword search is Lance's BM25 over English stems with fixed k1 = 1.2 and b = 0.75; a collection's own values are not
used. Vector search is exact, by comparison with every row, which is fast enough up to about 10^5 rows.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import lancedb
from lancedb.index import FTS
from lancedb.table import Table

from heddle.stores.store import (
    CANDIDATES,
    ID,
    Collection,
    Condition,
    Store,
    StoreError,
    StoreHit,
    StoreQuery,
    check_columns,
    content_of,
    fuse,
    is_vector,
    new_version,
    unpublished,
    versions,
)

POINTERS = "published.json"
"""File with each collection's published table and the previous one."""
LANCE_ERRORS = (RuntimeError, ValueError, OSError)
"""Errors of LanceDB, which has no exception classes of its own."""

Result = TypeVar("Result")


class LanceStore(Store):
    """A store of tables in a folder.

    Args:
        folder: the folder, which is created if it is missing.

    Raises:
        StoreError: the folder cannot be created or opened.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._database = lancedb.connect(str(folder))
        except LANCE_ERRORS as error:
            raise self._error("cannot be opened", error) from error
        self._open: dict[str, Table] = {}

    def publish(self, collection: Collection) -> str:
        published = self._pointers().get(collection.name, [])
        if not published or content_of(published[0]) != collection.content:
            published = [self._fill(collection), *published[:1]]
            self._write_pointer(collection.name, published)
        self._drop_unpublished(collection.name, published)
        return published[0]

    def count(self, name: str) -> int:
        return self._read(name, lambda table: table.count_rows())

    def search(self, name: str, query: StoreQuery) -> list[StoreHit]:
        return self._read(name, lambda table: _search(name, table, query))

    def close(self) -> None:
        self._open.clear()

    def _pointers(self) -> dict[str, list[str]]:
        """Collection to its published table and, if there is one, the previous table."""
        file = self._folder / POINTERS
        return json.loads(file.read_text()) if file.is_file() else {}

    def _write_pointer(self, name: str, published: list[str]) -> None:
        file = self._folder / POINTERS
        unfinished = file.with_suffix(".tmp")
        unfinished.write_text(json.dumps(self._pointers() | {name: published}, sort_keys=True, indent=2) + "\n")
        unfinished.replace(file)

    def _fill(self, collection: Collection) -> str:
        """Create an indexed table with all rows. Returns its name."""
        fresh = new_version(collection.name, collection)
        try:
            table = self._database.create_table(fresh, data=collection.rows())
            table.create_index(collection.text, config=FTS())
        except LANCE_ERRORS as error:
            raise self._error(f"{collection.name} cannot be published", error) from error
        return fresh

    def _error(self, what: str, error: Exception) -> StoreError:
        reason = str(error).partition(", /")[0]  # without the position in LanceDB's source code
        return StoreError(f"{self._folder}: {what}: {reason}")

    def _drop_unpublished(self, name: str, published: list[str]) -> None:
        """Drop tables that are not published, including unfinished ones of killed publishes."""
        tables = self._database.list_tables().tables
        for table in [*versions(name, tables), *(table for table in tables if table == name)]:
            if table not in published:
                self._database.drop_table(table)

    def _published(self, name: str) -> str:
        published = self._pointers().get(name)
        if not published:
            raise unpublished(name)
        return published[0]

    def _read(self, name: str, read: Callable[[Table], Result]) -> Result:
        """Read the published table; retry if two publishes dropped it meanwhile."""
        while True:
            published = self._published(name)
            try:
                if name not in self._open or self._open[name].name != published:
                    self._open[name] = self._database.open_table(published)  # kept open for its caches
                return read(self._open[name])
            except LANCE_ERRORS as error:
                if self._published(name) == published:
                    raise self._error(f"{name} cannot be searched", error) from error


def _search(name: str, table: Table, query: StoreQuery) -> list[StoreHit]:
    vectors = [field.name for field in table.schema if is_vector(field.type)]
    check_columns(name, query, [column for column in table.schema.names if column not in vectors], vectors)
    if query.vector is not None and query.text is not None:
        depth = max(query.limit, CANDIDATES)
        rankings = (_by_vector(table, query, depth), _by_words(table, query, depth))
        best = fuse(rankings, (query.alpha, 1 - query.alpha), query.fusion)
    elif query.vector is not None:
        best = _by_vector(table, query, query.limit)
    else:
        best = _by_words(table, query, query.limit)
    return _hits(table, dict(islice(best.items(), query.limit)), query.columns)


def _by_vector(table: Table, query: StoreQuery, depth: int) -> dict[int, float]:
    """Row to cosine, best first."""
    search: Any = table.search(query.vector, vector_column_name=query.against, query_type="vector")
    return {row: 1 - distance for row, distance in _found(search.distance_type("cosine"), query, depth, "_distance")}


def _by_words(table: Table, query: StoreQuery, depth: int) -> dict[int, float]:
    """Row to BM25, best first."""
    return dict(_found(table.search(query.text, query_type="fts"), query, depth, "_score"))


def _found(search: Any, query: StoreQuery, depth: int, score: str) -> Iterator[tuple[int, float]]:
    if query.where:
        search = search.where(" AND ".join(_sql(condition) for condition in query.where), prefilter=True)
    found = search.select([score]).with_row_id(True).limit(depth).to_arrow()
    return zip(found.column("_rowid").to_pylist(), found.column(score).to_pylist(), strict=True)


def _hits(table: Table, best: Mapping[int, float], columns: tuple[str, ...]) -> list[StoreHit]:
    if not best:
        return []
    found = table.take_row_ids(list(best)).with_row_id().select(list({ID, *columns})).to_arrow().to_pylist()
    rows = {row["_rowid"]: row for row in found}
    return [
        StoreHit(rows[number][ID], score, {column: rows[number][column] for column in columns})
        for number, score in best.items()
    ]


def _sql(condition: Condition) -> str:
    value = condition.value
    literal = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value).lower()
    return f"`{condition.column}` {condition.operator} {literal}"
