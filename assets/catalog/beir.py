"""The source `beir`: guides, queries and judgements in BEIR's layout.

A folder with ``corpus.jsonl`` (``_id``, ``title``, ``text``), ``queries.jsonl`` (``_id``, ``text``) and ``qrels/*.tsv``
(query, guide, grade); the last two may be missing. Source: Thakur et al., "BEIR", NeurIPS 2021 Datasets and Benchmarks.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assets.catalog.collector import Harvest
from assets.catalog.rows import full_id
from assets.catalog.table import json_or_text
from heddle.core.stage import StageError
from heddle.sources.parameters import Beir

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels"
COLUMNS = ("query", "guide", "relevance")


class BeirSource:
    """Reads one folder."""

    def __init__(self, source: Beir) -> None:
        self._name, self._folder = source.name, Path(source.path)

    def gather(self, harvest: Harvest) -> None:
        """Bring all rows; what cannot be used is refused with its reason.

        Raises:
            StageError: there is no corpus, nothing in it or in the judgements can be used, or a file is not UTF-8.
        """
        if not (self._folder / CORPUS).is_file():
            raise StageError(f"{self._named(CORPUS)}: no such file; `path` is relative to the project's folder")
        try:
            guides = self._texts(harvest, "guides", CORPUS)
            if not guides:
                raise StageError(f"{self._named(CORPUS)}: no line in it is a guide with an _id and a text")
            known = {"guide": guides, "query": self._texts(harvest, "queries", QUERIES)}
            self._judgements(harvest, known)
        except UnicodeDecodeError as error:
            raise StageError(f"source {self._name}: {self._folder}: a file is not UTF-8: {error}") from error

    def _texts(self, harvest: Harvest, table: str, file: str) -> set[str]:
        """Bring the guides or the queries. Returns their ids, as the file has them."""
        brought = set()
        for number, record in enumerate(_records(self._folder / file), start=1):
            origin = f"{self._folder / file} line {number}"
            told = _told(record) if isinstance(record, dict) else {}
            id_ = str(told.get("id") or "")
            if not isinstance(record, dict):
                harvest.refuse(table, full_id(self._name, origin), origin, "not a JSON object", record)
            elif not id_:
                harvest.refuse(table, full_id(self._name, origin), origin, "_id is missing", record)
            elif not told["text"]:
                harvest.refuse(table, full_id(self._name, id_), origin, "text is empty", record)
            else:
                harvest.row(table, self._name, told, record, origin)
                brought.add(id_)
        return brought

    def _judgements(self, harvest: Harvest, known: Mapping[str, set[str]]) -> None:
        fetched = joined = 0
        for path in _test_first(self._folder / QRELS):
            for number, cells in _lines(path):
                origin = f"{path} line {number}"
                fetched += 1
                reason = _cannot_join(cells, known)
                if reason:
                    harvest.refuse("qrels", full_id(self._name, origin), origin, reason, "\t".join(cells))
                    continue
                told = dict(zip(COLUMNS, (*cells[:2], max(0, int(cells[2]))), strict=True))
                harvest.row("qrels", self._name, told, "\t".join(cells), origin)
                joined += 1
        if fetched and not joined:
            raise StageError(
                f"{self._named(QRELS)}: none of its {fetched} lines joins a query of {QUERIES} and a guide of "
                f"{CORPUS}; do these files belong together?"
            )

    def _named(self, file: str) -> str:
        return f"source {self._name}: {self._folder / file}"


def _told(record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a guide or a query. Where a guide has nothing but a title, that is its text."""
    title, text = (str(record.get(field) or "").strip() for field in ("title", "text"))
    id_ = record.get("_id")
    named = {"id": None if id_ is None else str(id_).strip(), "text": text or title}
    return named | {"title": title if title and text else None}


def _records(path: Path) -> Iterator[Any]:
    """The objects in a file of JSON Lines; a line that cannot be read comes as text. Nothing where there is no file."""
    if path.is_file():
        with path.open(encoding="utf-8-sig") as file:
            yield from (json_or_text(line.rstrip("\n")) for line in file if line.strip())


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each line but the one with the columns' names, which some collections leave out."""
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            cells = [cell.strip() for cell in line.split("\t")]
            if any(cells) and not (number == 1 and cells[0] == "query-id"):
                yield number, cells


def _test_first(folder: Path) -> list[Path]:
    """The files of judgements; what two of them judge differently is as `test.tsv` says."""
    return sorted(folder.glob("*.tsv"), key=lambda path: (path.stem != "test", path.name))


def _cannot_join(cells: list[str], known: Mapping[str, set[str]]) -> str | None:
    """Why a line is no judgement that can be used; None if it is one."""
    if len(cells) != len(COLUMNS):
        return f"{len(cells)} cells between tabs, expected query, guide and grade"
    for column, file, id_ in (("query", QUERIES, cells[0]), ("guide", CORPUS, cells[1])):
        if id_ not in known[column]:
            return f"{column} {id_!r} is not in {file}"
    return None if cells[2].removeprefix("-").isdecimal() else f"grade: found {cells[2]!r}, expected a whole number"
