"""The source `beir`: guides, queries and relevance judgements in BEIR's layout.

The folder contains ``corpus.jsonl`` (``_id``, ``title``, ``text``) and, optionally, ``queries.jsonl`` (``_id``,
``text``) and ``qrels/*.tsv`` (query, guide, grade). Source: Thakur et al., "BEIR", NeurIPS 2021.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assets.catalog.collector import Collector
from assets.catalog.rows import qualify_id
from assets.catalog.table import parse_json_or_text
from heddle.core.stage import StageError
from heddle.sources.parameters import Beir

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels"
COLUMNS = ("query", "guide", "relevance")


class BeirSource:
    """Reads one folder."""

    def __init__(self, source: Beir) -> None:
        self._name, self._folder = source.name, Path(source.path)

    def gather(self, collector: Collector) -> None:
        """Add all rows; invalid ones are rejected.

        Raises:
            StageError: there is no corpus, no valid guide or no valid judgement, or a file is not UTF-8.
        """
        if not (self._folder / CORPUS).is_file():
            raise StageError(f"{self._named(CORPUS)}: file not found; `path` is relative to the project")
        try:
            guides = self._add_texts(collector, "guides", CORPUS)
            if not guides:
                raise StageError(f"{self._named(CORPUS)}: no line contains a guide with _id and text")
            known = {"guide": guides, "query": self._add_texts(collector, "queries", QUERIES)}
            self._add_judgements(collector, known)
        except UnicodeDecodeError as error:
            raise StageError(f"source {self._name}: {self._folder}: a file is not UTF-8: {error}") from error

    def _add_texts(self, collector: Collector, table: str, file: str) -> set[str]:
        """Add the guides or the queries. Return their ids without prefix."""
        ids = set()
        for number, record in enumerate(_read_records(self._folder / file), start=1):
            origin = f"{self._folder / file} line {number}"
            fields = _read_fields(record) if isinstance(record, dict) else {}
            id_ = str(fields.get("id") or "")
            if not isinstance(record, dict):
                collector.reject(table, qualify_id(self._name, origin), origin, "not a JSON object", record)
            elif not id_:
                collector.reject(table, qualify_id(self._name, origin), origin, "_id is missing", record)
            elif not fields["text"]:
                collector.reject(table, qualify_id(self._name, id_), origin, "text is empty", record)
            else:
                collector.add_row(table, self._name, fields, record, origin)
                ids.add(id_)
        return ids

    def _add_judgements(self, collector: Collector, known: Mapping[str, set[str]]) -> None:
        fetched = joined = 0
        for path in _sort_test_first(self._folder / QRELS):
            for number, cells in _read_lines(path):
                origin = f"{path} line {number}"
                fetched += 1
                fault = _find_fault(cells, known)
                if fault:
                    collector.reject("qrels", qualify_id(self._name, origin), origin, fault, "\t".join(cells))
                    continue
                fields = dict(zip(COLUMNS, (*cells[:2], max(0, int(cells[2]))), strict=True))
                collector.add_row("qrels", self._name, fields, "\t".join(cells), origin)
                joined += 1
        if fetched and not joined:
            raise StageError(
                f"{self._named(QRELS)}: none of its {fetched} lines joins a query in {QUERIES} with a guide in "
                f"{CORPUS}; check that these files belong together"
            )

    def _named(self, file: str) -> str:
        return f"source {self._name}: {self._folder / file}"


def _read_fields(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a guide or a query. If a guide has only a title, the title is its text."""
    title, text = (str(record.get(field) or "").strip() for field in ("title", "text"))
    id_ = record.get("_id")
    return {
        "id": None if id_ is None else str(id_).strip(),
        "text": text or title,
        "title": title if title and text else None,
    }


def _read_records(path: Path) -> Iterator[Any]:
    """Iterate over a file of JSON Lines, which may be missing; a line that is no JSON is returned as text."""
    if path.is_file():
        with path.open(encoding="utf-8-sig") as file:
            yield from (parse_json_or_text(line.rstrip("\n")) for line in file if line.strip())


def _read_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Iterate over numbers and cells of the lines, without the header line, which some collections lack."""
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            cells = [cell.strip() for cell in line.split("\t")]
            if any(cells) and not (number == 1 and cells[0] == "query-id"):
                yield number, cells


def _sort_test_first(folder: Path) -> list[Path]:
    """Return the files of judgements, `test.tsv` first: its grade wins if two files contain the same judgement."""
    return sorted(folder.glob("*.tsv"), key=lambda path: (path.stem != "test", path.name))


def _find_fault(cells: list[str], known: Mapping[str, set[str]]) -> str | None:
    """Return why a line is no valid judgement; None if it is valid."""
    if len(cells) != len(COLUMNS):
        return f"{len(cells)} tab-separated cells, expected 3: query, guide and grade"
    for column, file, id_ in (("query", QUERIES, cells[0]), ("guide", CORPUS, cells[1])):
        if id_ not in known[column]:
            return f"{column} {id_!r} is not in {file}"
    return None if cells[2].removeprefix("-").isdecimal() else f"grade: found {cells[2]!r}, expected a whole number"
