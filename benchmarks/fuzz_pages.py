"""Show hostile text in the report and the model cards: ``python -m benchmarks.fuzz_pages --projects 40``.

Each project is the small one of the tests, with untrained models. All texts in its tables that come from outside are
replaced by hostile ones: titles, descriptions, labels, details of the quarantine, what models answered. The stages
`release` and `report` then run. They must not fail, and no value may become an element, an attribute or a link of a
page. The number of replaced texts and of pages is printed.
"""

import argparse
import contextlib
import csv
import io
import tempfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from markdown_it import MarkdownIt

from assets.index.stage import index
from assets.release.stage import release
from assets.report.stage import report
from benchmarks.hostile import Hostile, check_page
from tests.support.small_project import run, write_project

OUTSIDE = frozenset(
    {
        *("title", "text", "search_text", "description", "alt_text", "seller", "tags", "url", "licence"),
        *("item", "material", "bin", "product_class", "actual", "predicted"),
        *("question", "context", "answer", "reference", "query"),
        *("origin", "detail", "record"),
    }
)
"""Columns with texts from outside, or that a model wrote."""
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def replace_texts(file: Path, hostile: Hostile) -> int:
    """Replace the texts of a Parquet or CSV file. Returns how many."""
    if file.suffix == ".parquet":
        table = pq.read_table(file)
        rows = table.to_pylist()
    else:
        with file.open(newline="") as lines:
            rows = list(csv.DictReader(lines))
    replaced = 0
    for row in rows:
        for name, value in row.items():
            if name in OUTSIDE and isinstance(value, str):
                row[name] = _text(hostile)
                replaced += 1
            elif name in OUTSIDE and isinstance(value, list):
                row[name] = [_text(hostile) for _ in value]
                replaced += len(value)
    if file.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows, table.schema), file)
    elif rows:
        with file.open("w", newline="") as lines:
            writer = csv.DictWriter(lines, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    return replaced


def try_project(hostile: Hostile, folder: Path, found: Counter[str]) -> None:
    """Run both stages over one project and check their pages.

    Raises:
        BrokenRuleError: a value became an element, an attribute or a link.
    """
    write_project(folder)
    with contextlib.redirect_stdout(io.StringIO()):
        run(index, folder)
    files = [path for kind in ("parquet", "csv") for path in sorted((folder / "data").rglob(f"*.{kind}"))]
    found["texts replaced"] += sum(replace_texts(file, hostile) for file in files)
    with contextlib.redirect_stdout(io.StringIO()):
        run(release, folder)
        run(report, folder)
    for page in sorted((folder / "data/report").rglob("*.html")):
        check_page(page.read_text())
        found["pages of the report"] += 1
    for card in sorted((folder / "data/release").rglob("README.md")):
        check_page(MARKDOWN.render(card.read_text()))
        found["model cards"] += 1


def _text(hostile: Hostile) -> str:
    return hostile.text().encode("utf-8", "replace").decode()


def main() -> None:
    """Try all projects and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1, help="random seed: equal seeds give equal texts")
    told = parser.parse_args()
    found: Counter[str] = Counter()
    for number in range(told.projects):
        with tempfile.TemporaryDirectory() as name:
            try_project(Hostile(told.seed * 1_000_003 + number), Path(name), found)
    for outcome, times in sorted(found.items()):
        print(f"{outcome:32} {times:9,}")


if __name__ == "__main__":
    main()
