"""The source `table`: rows of a CSV, TSV, Parquet or JSON Lines file, each column mapped to a field."""

import csv
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from assets.catalog.collector import Harvest
from assets.catalog.crawl_job import Visit
from assets.catalog.mapped import MappedRecords, check_columns, check_fields
from assets.catalog.rows import full_id
from heddle.core.stage import StageError
from heddle.sources.parameters import Table

BATCH = 1_000  # rows of a Parquet file in memory at a time
_LONGEST_FIELD = 10_000_000  # characters of one CSV field

Row = Mapping[str, Any]


class TableSource:
    """Reads one file."""

    def __init__(self, source: Table) -> None:
        self._source = source
        self._path = Path(source.path)

    def gather(self, harvest: Harvest) -> Visit | None:
        """Bring all rows; the answer is the crawl of images that are given by URL, if any.

        Raises:
            StageError: the file is missing, cannot be read, is empty, or lacks a column of the mapping.
        """
        check_fields(self._named(), self._source.table, self._source.columns)
        if not self._path.is_file():
            raise StageError(f"{self._named()}: no such file; `path` is relative to the project's folder")
        records = MappedRecords(self._source, self._source.path, harvest, self._path.parent)
        number = 0
        for number, row in enumerate(self._rows(), 1):
            origin = f"{self._source.path} row {number}"
            if isinstance(row, dict):
                told = {field: row.get(column) for field, column in self._source.columns.items()}
                records.take(told, row, origin)
            else:
                name = full_id(self._source.name, origin)
                harvest.refuse(self._source.table, name, origin, f"row {number}: not a JSON object", row)
        if number == 0:
            raise StageError(f"{self._named()}: no rows below the column names")
        return records.visit()

    def _rows(self) -> Iterator[Any]:
        """The file's rows; a line of JSON Lines that cannot be read comes as text."""
        suffix = self._path.suffix.lower()
        try:
            if suffix in (".csv", ".tsv"):
                yield from self._delimited("\t" if suffix == ".tsv" else ",")
            elif suffix == ".parquet":
                yield from self._parquet()
            elif suffix in (".jsonl", ".ndjson"):
                yield from self._json_lines()
            else:
                raise StageError(f"{self._named()}: {suffix or 'no ending'}; allowed: .csv, .tsv, .parquet, .jsonl")
        except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
            raise StageError(f"{self._named()}: cannot be read as {suffix[1:]}: {error}") from error

    def _delimited(self, delimiter: str) -> Iterator[Any]:
        csv.field_size_limit(_LONGEST_FIELD)
        with self._path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter=delimiter, restkey="", restval="")
            self._check_columns(list(reader.fieldnames or ()))
            for row in reader:
                # More cells than columns: most likely a delimiter that should have been quoted. Nothing is guessed.
                yield as_text(row, delimiter) if "" in row and isinstance(row[""], list) else row

    def _parquet(self) -> Iterator[Row]:
        with pq.ParquetFile(self._path) as file:
            self._check_columns(file.schema_arrow.names)
            for batch in file.iter_batches(BATCH):
                yield from batch.to_pylist()

    def _json_lines(self) -> Iterator[Any]:
        with self._path.open(encoding="utf-8-sig") as file:
            rows = [json_or_text(line) for line in file if line.strip()]
        # A record may leave out a key that it has nothing for, so no single line has all columns.
        if columns := dict.fromkeys(key for row in rows if isinstance(row, dict) for key in row):
            self._check_columns(list(columns))
        yield from rows

    def _check_columns(self, found: Collection[str]) -> None:
        check_columns(self._named(), self._source.columns.values(), found)

    def _named(self) -> str:
        return f"source {self._source.name}: {self._source.path}"


def json_or_text(line: str) -> Any:
    """What a line of JSON Lines holds; the line itself if it cannot be read."""
    try:
        return json.loads(line)
    except ValueError:
        return line


def as_text(row: Mapping[Any, Any], delimiter: str) -> str:
    """A delimited row as one text, for the quarantine."""
    return delimiter.join(each for value in row.values() for each in (value if isinstance(value, list) else [value]))
