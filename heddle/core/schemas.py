"""Arrow schemas of the tables that stages exchange, with a comment for each field.

:func:`write_table` writes Parquet; equal rows give equal bytes.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from heddle.core.errors import naming

ROW_GROUP = 10_000
BATCH = 1_000  # rows that are dictionaries at the same time; a dictionary takes ten times the memory of a table row

DETECTED_OBJECT = pa.struct(
    [
        pa.field("label", pa.string()),  # what it is: "chair"
        pa.field("box", pa.list_(pa.float32(), 4)),  # x0, y0, x1, y1 as shares of width and height, in [0, 1]
        pa.field("attributes", pa.list_(pa.string())),  # "red", "striped", "wooden"
    ]
)
RELATION = pa.struct(
    [
        pa.field("subject", pa.int32()),  # index into objects
        pa.field("predicate", pa.string()),  # "left of", "above", "behind", "on"
        pa.field("object", pa.int32()),  # index into objects
    ]
)
CONTEXT = pa.struct(
    [
        pa.field("site", pa.string()),  # host that shows the listing
        pa.field("locale", pa.string()),  # BCP 47: "en-GB"
        pa.field("preferences", pa.list_(pa.string())),  # the author's wishes: "short sentences"
    ]
)

LISTINGS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # "<source>:<source's own id>", stable across crawls
        pa.field("source", pa.string(), nullable=False),  # name of the source in params.yaml
        pa.field("url", pa.string()),  # page that a person would open
        pa.field("image", pa.string()),  # sha256 of the original bytes, in hex
        pa.field("same_image_as", pa.string()),  # id of the oldest listing with nearly this image; null if this is it
        pa.field("title", pa.string()),  # plain text
        pa.field("description", pa.string()),  # plain text
        pa.field("body", pa.string()),  # sanitised HTML
        pa.field("tags", pa.list_(pa.string())),
        pa.field("categories", pa.list_(pa.string())),
        pa.field("alt_text", pa.string()),  # of the main image
        pa.field("caption", pa.string()),  # of the main image
        pa.field("seo_title", pa.string()),
        pa.field("seo_description", pa.string()),
        pa.field("product_class", pa.string()),  # label, 27 at the demo shop
        pa.field("item", pa.string()),  # label, 20 at the demo shop
        pa.field("material", pa.string()),  # label, 15 at the demo shop
        pa.field("bin", pa.string()),  # label, 4 at the demo shop
        pa.field("price", pa.float64()),  # in the shop's currency; null where none is asked
        pa.field("objects", pa.list_(DETECTED_OBJECT)),
        pa.field("relations", pa.list_(RELATION)),
        pa.field("context", CONTEXT),
        pa.field("exif", pa.map_(pa.string(), pa.string())),  # tag name -> value, without GPS, sorted by tag
        pa.field("created", pa.string()),  # ISO 8601, UTC
        pa.field("modified", pa.string()),  # ISO 8601, UTC
        pa.field("licence", pa.string()),  # SPDX id or the source's own words
    ]
)
IMAGES = pa.schema(
    [
        pa.field("sha256", pa.string(), nullable=False),  # of the original bytes, in hex; sorted
        pa.field("tar", pa.string(), nullable=False),  # file beside this table that holds member "<sha256>"
        pa.field("format", pa.string(), nullable=False),  # Pillow's name: "JPEG"
        pa.field("width", pa.int32(), nullable=False),  # pixels
        pa.field("height", pa.int32(), nullable=False),  # pixels
        pa.field("bytes", pa.int64(), nullable=False),  # of the original file
        pa.field("perceptual_hash", pa.string(), nullable=False),  # hex
    ]
)
GUIDES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # BEIR's _id
        pa.field("title", pa.string()),
        pa.field("text", pa.string(), nullable=False),
    ]
)
QUERIES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # BEIR's _id
        pa.field("text", pa.string(), nullable=False),
    ]
)
QRELS = pa.schema(
    [
        pa.field("query", pa.string(), nullable=False),  # queries.id
        pa.field("guide", pa.string(), nullable=False),  # guides.id
        pa.field("relevance", pa.int32(), nullable=False),  # graded: 0 none, 1 related, 2 answers in part, 3 answers
    ]
)
CONVERSATIONS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field(
            "messages",  # Hugging Face's form
            pa.list_(pa.struct([pa.field("role", pa.string()), pa.field("content", pa.string())])),
            nullable=False,
        ),
    ]
)
PREFERENCES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("prompt", pa.string(), nullable=False),
        pa.field("chosen", pa.string(), nullable=False),
        pa.field("rejected", pa.string(), nullable=False),
    ]
)
NODES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),  # "item", "material", "product", "listing"
        pa.field("text", pa.string()),
    ]
)
EDGES = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),  # nodes.id
        pa.field("relation", pa.string(), nullable=False),  # "made_of", "becomes"
        pa.field("target", pa.string(), nullable=False),  # nodes.id
    ]
)
QUARANTINE = pa.schema(
    [
        pa.field("table", pa.string(), nullable=False),  # intended table of the record: "listings"
        pa.field("id", pa.string(), nullable=False),  # id of the record if known, else its URL or row
        pa.field("origin", pa.string(), nullable=False),  # URL, or file and row
        pa.field(
            "reason", pa.string(), nullable=False
        ),  # stable code: "image_truncated", or the name of an expectation
        pa.field("detail", pa.string(), nullable=False),  # what was found, as text
        pa.field("record", pa.string()),  # the whole record as JSON
    ]
)
DUPLICATES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # the dropped listing
        pa.field("original", pa.string(), nullable=False),  # the kept listing
        pa.field("kind", pa.string(), nullable=False),  # "exact" (sha256) or "near" (perceptual hash)
        pa.field("distance", pa.int32(), nullable=False),  # differing bits of the perceptual hash
    ]
)
TOMBSTONES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # a listing that was removed from the source
        pa.field("url", pa.string()),  # as last known
        pa.field("modified", pa.string()),  # as last known; ISO 8601, UTC
    ]
)

TABLES: Mapping[str, pa.Schema] = {
    "listings": LISTINGS,
    "images": IMAGES,
    "guides": GUIDES,
    "queries": QUERIES,
    "qrels": QRELS,
    "conversations": CONVERSATIONS,
    "preferences": PREFERENCES,
    "nodes": NODES,
    "edges": EDGES,
}
"""Tables of a source by name; each is ``<name>.parquet`` in ``data/catalog`` and ``data/validated``."""


def write_table(path: Path, rows: Iterable[Mapping[str, Any]] | pa.Table, schema: pa.Schema) -> int:
    """Write rows as Parquet with pinned codec, version and row groups. Return the number of rows.

    Raises:
        pa.ArrowInvalid: a value does not fit the schema, or a required field is null.
    """
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd", version="2.6", write_statistics=True) as writer:
        for table in _row_groups(rows, schema):
            for field in schema:
                if not field.nullable and (nulls := table.column(field.name).null_count):
                    raise pa.ArrowInvalid(f"{path}: column {field.name} has {nulls} nulls")
            writer.write_table(table, ROW_GROUP)
            count += table.num_rows
    return count


def _row_groups(rows: Iterable[Mapping[str, Any]] | pa.Table, schema: pa.Schema) -> Iterator[pa.Table]:
    """Convert rows to tables of one row group each, so that memory holds one table and few dictionaries."""
    if isinstance(rows, pa.Table):
        yield from (rows.slice(start, ROW_GROUP).cast(schema) for start in range(0, rows.num_rows, ROW_GROUP))
        return
    left = iter(rows)
    while batches := list(islice(_batches(left, schema), ROW_GROUP // BATCH)):
        yield pa.Table.from_batches(batches, schema)


def _batches(rows: Iterator[Mapping[str, Any]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while some := list(islice(rows, BATCH)):
        yield pa.RecordBatch.from_pylist(some, schema)


def read_table(path: Path) -> pa.Table:
    """Read a whole Parquet table. Arrow's function of this name loads its data sets and threads, 60 MB more."""
    with naming(path), pq.ParquetFile(path) as file:
        return file.read(use_threads=False)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read the rows of a Parquet table as dictionaries; maps become lists of pairs."""
    return read_table(path).to_pylist()
