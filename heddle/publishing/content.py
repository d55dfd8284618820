"""The content of a source's listings: the writer's if there is a writer, else the seller's own words."""

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from heddle.content.content import Content
from heddle.core.skipped import skip_reason
from heddle.core.stage import StageError
from heddle.description.resumable_jsonl import JsonLine, ResumableJsonlWriter
from heddle.images.originals import find_originals
from heddle.inference.describe import BATCH, DESCRIPTIONS_FILE, open_describer

INPUT_COLUMNS = ("context", "objects", "relations")
"""Columns of a listing that the writer reads besides the image."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ListingContent:
    """A listing and what is to be published of it.

    Attributes:
        id: id of the listing.
        content: as :meth:`Content.as_json` returns it; None where there is none.
        error: why there is no content.
        skipped: why the content is not to be published.
    """

    id: str
    content: Mapping[str, Any] | None
    error: str = ""
    skipped: str = ""


def has_writer(data: Path) -> bool:
    """Whether the content comes from the writer."""
    return (data / "writer").is_dir() and not skip_reason(data / "writer")


def read_accepted_listings(data: Path, source: str) -> list[Row]:
    """The listings of a source that passed validation.

    Raises:
        StageError: the table of validated listings is missing.
    """
    file = data / "validated" / "listings.parquet"
    if not file.is_file():
        raise StageError(f"{file}: no such file: run `dvc repro validated` or `heddle run` first")
    return pq.read_table(file, filters=[("source", "==", source)]).to_pylist()


def listing_contents(rows: Sequence[Row], data: Path) -> Iterator[ListingContent]:
    """The content of each listing.

    The writer's content is kept in ``data/published_content``, so each image is described once.

    Raises:
        DescribeError: files of the writer are missing.
        ResumableJsonlError: the kept content cannot be read, or another process is writing it.
    """
    if not has_writer(data):
        for row in rows:
            yield ListingContent(row["id"], Content.from_listing(row).as_json())
        return
    folder = data / "published_content"
    folder.mkdir(parents=True, exist_ok=True)
    describer, originals = open_describer(data), find_originals(data / "catalog")
    with ResumableJsonlWriter(folder / DESCRIPTIONS_FILE) as descriptions:
        for start in range(0, len(rows), BATCH):
            batch = [
                describer.prepare(
                    row["id"], {name: row[name] for name in INPUT_COLUMNS}, originals[row["image"]].read()
                )
                for row in rows[start : start + BATCH]
            ]
            descriptions.append(describer.describe([image for image in batch if not descriptions.find(image.header)]))
            for image in batch:
                line = descriptions.find(image.header) or {
                    "path": image.header["path"],
                    "error": "the writer returned no content",
                }
                yield _listing_content(line, describer.min_certainty)


def _listing_content(line: JsonLine, min_certainty: float) -> ListingContent:
    """The content in a line; content that is not certain is skipped."""
    skipped = ""
    if line.get("certain") is False:
        skipped = (
            f"certainty {line['scores']['certainty']} is below describe.min_certainty {min_certainty}; "
            "add objects to the listing, or write its content by hand"
        )
    return ListingContent(line["path"], line.get("content"), str(line.get("error", "")), skipped)


def post_fields(content: Mapping[str, Any]) -> dict[str, Any]:
    """Content as fields of a post.

    Alt text and caption become custom fields, since those of the image itself belong to the published listing.
    """
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
