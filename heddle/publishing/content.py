"""The content of a source's listings: the writer's where there is one, else the seller's own words."""

import html
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from heddle.content.content import Content
from heddle.core.skipped import skip_reason
from heddle.core.stage import StageError
from heddle.description.resumable_jsonl import ResumableJsonlWriter
from heddle.images.originals import find_originals
from heddle.inference.describe import BATCH, open_describer

TOLD = ("context", "objects", "relations")  # columns that the writer reads besides the image
JOURNAL_FILE = "descriptions.jsonl"

Row = Mapping[str, Any]


def has_writer(data: Path) -> bool:
    """Whether the content is the writer's."""
    return (data / "writer").is_dir() and not skip_reason(data / "writer")


def accepted(data: Path, source: str) -> list[Row]:
    """The listings of a source that met every expectation.

    Raises:
        StageError: there is no table of them.
    """
    file = data / "validated" / "listings.parquet"
    if not file.is_file():
        raise StageError(f"{file} is not there: run `dvc repro validated` or `heddle run` first")
    return pq.read_table(file, filters=[("source", "==", source)]).to_pylist()


def contents(rows: Sequence[Row], data: Path) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """Ids of listings with their content as :meth:`Content.as_json` gives it, or why there is none.

    What the writer writes is kept in ``data/published_content``, so that it is asked once for each image.

    Raises:
        DescribeError: the writer is not whole.
        ResumableJsonlError: what was kept cannot be read, or is held by another process.
    """
    if not has_writer(data):
        yield from ((row["id"], Content.from_listing(row).as_json()) for row in rows)
        return
    folder = data / "published_content"
    folder.mkdir(parents=True, exist_ok=True)
    describer, originals = open_describer(data), find_originals(data / "catalog")
    with ResumableJsonlWriter(folder / JOURNAL_FILE) as journal:
        for start in range(0, len(rows), BATCH):
            known = [
                describer.known(row["id"], {name: row[name] for name in TOLD}, originals[row["image"]].read())
                for row in rows[start : start + BATCH]
            ]
            journal.append(describer.lines([one for one in known if not journal.find(one.head)]))
            for one in known:
                line = journal.find(one.head) or {"error": "the writer wrote nothing"}
                yield one.head["path"], line["content"] if "content" in line else str(line["error"])


def fields_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """Content as fields of a post. Alt text and caption are custom fields: the image's own belong to the listing."""
    image, seo = content["featured_media"], content["meta"]
    return {
        "title": html.escape(content["title"], quote=False),
        "content": content["content"],
        "excerpt": html.escape(content["excerpt"], quote=False),
        "categories": sorted(content["categories"]),
        "tags": sorted(content["tags"]),
        **{f"meta.{name}": text for name, text in seo.items()},
        **{f"meta.heddle_{name}": text for name, text in image.items()},
    }
