"""The source `table`: rows of a CSV, TSV, Parquet or JSON Lines file whose columns are mapped to fields."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from assets.catalog.collector import Collector
from assets.catalog.crawl_job import CrawlJob
from assets.catalog.delimited import DelimitedError, find_dialect, read_delimited
from assets.catalog.local_images import ImageFolders
from assets.catalog.mapped_records import MappedRecords, check_columns, check_fields
from assets.catalog.nested_json import parse_json
from assets.catalog.rows import qualify_id
from heddle.core.stage import StageError
from heddle.sources.parameters import Table

BATCH = 1_000  # rows of a Parquet file in memory at a time

Row = Mapping[str, Any]


class TableSource:
    """Reads one file."""

    def __init__(self, source: Table) -> None:
        self._source = source
        self._path = Path(source.path)

    def gather(self, collector: Collector) -> CrawlJob | None:
        """Add all rows; return the crawl of images that are URLs, if any.

        Raises:
            StageError: the file is missing, cannot be read, is empty, or lacks a column of the mapping.
        """
        check_fields(self._named(), self._source.table, self._source.columns)
        if not self._path.is_file():
            raise StageError(f"{self._named()}: file not found; `path` is relative to the project")
        folders = ImageFolders([self._path.parent], self._source.outside)
        records = MappedRecords(self._source, self._source.path, collector, folders)
        number = 0
        for number, row in enumerate(self._read_rows(collector), 1):
            origin = f"{self._source.path} row {number}"
            if isinstance(row, dict):
                fields = {field: row.get(column) for field, column in self._source.columns.items()}
                records.add(fields, row, origin)
            else:
                name = qualify_id(self._source.name, origin)
                problem = f"row {number}: {self._malformed_row()}"
                collector.reject(self._source.table, name, origin, problem, row)
        if number == 0:
            raise StageError(f"{self._named()}: the file has no rows")
        return records.create_crawl_job()

    def _read_rows(self, collector: Collector) -> Iterator[Any]:
        """Iterate over the file's rows; a line that is no JSON is returned as text."""
        suffix = self._path.suffix.lower()
        try:
            if suffix in (".csv", ".tsv"):
                yield from self._read_delimited("\t" if suffix == ".tsv" else ",", collector)
            elif suffix == ".parquet":
                yield from self._read_parquet()
            elif suffix in (".jsonl", ".ndjson"):
                yield from self._read_json_lines()
            else:
                raise StageError(
                    f"{self._named()}: unknown extension {suffix!r}; allowed: .csv, .tsv, .parquet, .jsonl"
                )
        except (OSError, UnicodeDecodeError, DelimitedError, pa.ArrowException) as error:
            raise StageError(f"{self._named()}: cannot be read as {suffix[1:]}: {error}") from error

    def _read_delimited(self, default: str, collector: Collector) -> Iterator[Any]:
        dialect = find_dialect(self._path, self._source.delimiter, self._source.encoding, default)
        if dialect.guessed:
            collector.note(f"{self._named()}: guessed encoding {dialect.encoding}; `encoding` of the source sets it")
        lines = read_delimited(self._path, dialect)
        header = next(lines, [])
        self._check_columns(header)
        for cells in lines:
            if len(cells) > len(header):  # probably a delimiter that should have been quoted
                yield dialect.delimiter.join(cells)
            else:
                yield dict(zip(header, cells + [""] * (len(header) - len(cells)), strict=True))

    def _malformed_row(self) -> str:
        """What is wrong with a row that is text."""
        if self._path.suffix.lower() in (".jsonl", ".ndjson"):
            return "not a JSON object"
        return "more cells than the header; quote the cells that contain the delimiter"

    def _read_parquet(self) -> Iterator[Row]:
        with pq.ParquetFile(self._path) as file:
            self._check_columns(file.schema_arrow.names)
            for batch in file.iter_batches(BATCH):
                yield from batch.to_pylist()

    def _read_json_lines(self) -> Iterator[Any]:
        with self._path.open(encoding="utf-8-sig") as file:
            rows = [parse_json_or_text(line) for line in file if line.strip()]
        # A record may lack a key, so no single line needs to contain all columns.
        columns = dict.fromkeys(key for row in rows if isinstance(row, dict) for key in row)
        if columns:
            self._check_columns(list(columns))
        yield from rows

    def _check_columns(self, found: Collection[str]) -> None:
        check_columns(self._named(), self._source.columns.values(), found)

    def _named(self) -> str:
        return f"source {self._source.name}: {self._source.path}"


def parse_json_or_text(line: str) -> Any:
    """Parse a line of JSON Lines; return the line itself if it is no JSON."""
    try:
        return parse_json(line)
    except ValueError:
        return line
