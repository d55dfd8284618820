"""A catalogue of two dozen rows a table that meets every expectation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from heddle.core.schemas import LISTINGS, QUARANTINE, TABLES, write_table

Tables = dict[str, list[dict[str, Any]]]
ROWS = 24


def sound() -> Tables:
    """A catalogue that meets every expectation."""
    blank = dict.fromkeys(LISTINGS.names)
    numbers = [f"{number:02d}" for number in range(ROWS)]
    box = {"label": "chair", "box": [0.0, 0.25, 0.5, 1.0], "attributes": ["red"]}
    return {
        "images": [
            {
                "sha256": number * 32,
                "tar": "images-00000.tar",
                "format": "PNG",
                "width": 64,
                "height": 48,
                "bytes": 9,
                "perceptual_hash": "00" * 32,
            }
            for number in numbers
        ],
        "listings": [
            blank
            | {
                "id": f"s:{number}",
                "source": "s",
                "image": number * 32,
                "title": f"chair {number}",
                "body": "<p>a &amp; b</p>",
                "price": 3.0,
                "objects": [box, box],
                "relations": [{"subject": 0, "predicate": "on", "object": 1}],
                "created": "2024-01-01T00:00:00Z",
                "modified": "2024-01-02T00:00:00Z",
            }
            for number in numbers
        ],
        "guides": [{"id": f"s:g{number}", "title": None, "text": "how to"} for number in numbers],
        "queries": [{"id": f"s:q{number}", "text": "how?"} for number in numbers],
        "qrels": [{"query": f"s:q{number}", "guide": f"s:g{number}", "relevance": 3} for number in numbers],
        "conversations": [
            {"id": f"s:c{n}", "messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "!"}]}
            for n in numbers
        ],
        "preferences": [{"id": f"s:p{n}", "prompt": "?", "chosen": "a", "rejected": "b"} for n in numbers],
        "nodes": [{"id": f"s:n{n}", "type": "item", "text": "chair"} for n in numbers],
        "edges": [{"source": "s:n00", "relation": "becomes", "target": f"s:n{n}"} for n in numbers[1:]],
    }


def write(folder: Path, tables: Tables, quarantine: Sequence[dict[str, Any]] = ()) -> None:
    """Write the tables as stage `catalog` does."""
    for name, schema in TABLES.items():
        write_table(folder / f"{name}.parquet", tables[name], schema)
    write_table(folder / "quarantine.parquet", quarantine, QUARANTINE)
