"""Build the columns that Great Expectations checks: simple columns, and columns derived from nested ones.

A derived value is True, False, or None if the expectation does not apply to the row.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Set
from itertools import islice
from typing import Any

import nh3
import numpy as np
import pandas as pd

from heddle.core.schemas import BATCH

Row = Mapping[str, Any]
Known = Mapping[str, Set[str]]
"""Accepted ids of the tables that were checked before, by table."""
Derive = Callable[[Row, Known], bool | float | str | None]

KEYS: Mapping[str, tuple[str, ...]] = {
    "images": ("sha256",),
    "qrels": ("query", "guide"),
    "edges": ("source", "relation", "target"),
}
"""Columns that identify a row of tables without `id`."""
JOINS: Mapping[str, tuple[str, ...]] = {
    "listings": ("images",),
    "qrels": ("guides", "queries"),
    "edges": ("nodes",),
}
"""Tables whose accepted ids :func:`build_frame` needs; each table is needed only once."""

_NUMBERS = {"shorter_side": "int64", "elongation": "float64", "price": "float64", "relevance": "int64"}
"""Types of columns with numbers."""
_TURNS = re.compile(r"s?(ua)+")


def build_frame(table: str, rows: Iterable[Row], known: Known) -> pd.DataFrame:
    """Build a frame with the columns `row` (numbers from 0), `name`, and simple and derived columns.

    Nested columns are omitted, as no rule needs them. Texts and numbers are converted in batches of few rows, because
    Python objects take several times the memory.
    """
    remaining = iter(rows)
    parts = [_build_part(table, islice(remaining, BATCH), known)]
    while len(parts[-1]):
        parts.append(_build_part(table, islice(remaining, BATCH), known))
    joined = pd.concat(parts, ignore_index=True)
    joined.insert(0, "row", np.arange(len(joined)))
    return joined


def _build_part(table: str, rows: Iterable[Row], known: Known) -> pd.DataFrame:
    derived = _DERIVED.get(table, {})
    values: dict[str, list[Any]] = {name: [] for name in ("name", *_SIMPLE[table], *derived)}
    for row in rows:
        values["name"].append(build_name(table, row))
        for name in _SIMPLE[table]:
            values[name].append(row[name])
        for name, derive in derived.items():
            values[name].append(derive(row, known))
    columns = {
        name: pd.Series(values[name], dtype=_NUMBERS.get(name, "object" if name in derived else "str"))
        for name in values
    }
    key, *further = KEYS.get(table, ("id",))
    if not further:
        columns["name"] = columns[key]  # shares the memory
    return pd.DataFrame(columns)


def build_name(table: str, row: Row) -> str:
    """Return the name of a row in the quarantine and in messages."""
    return " ".join(str(row[column]) for column in KEYS.get(table, ("id",)))


def _boxes_inside(row: Row, known: Known) -> bool | None:
    objects = row["objects"]
    if not objects:
        return None
    return all(0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1 for x0, y0, x1, y1 in (each["box"] for each in objects))


def _relations_point(row: Row, known: Known) -> bool | None:
    relations = row["relations"]
    if not relations:
        return None
    valid = range(len(row["objects"] or ()))
    return all(
        each["subject"] in valid and each["object"] in valid and each["subject"] != each["object"] for each in relations
    )


def _objects_have_labels(row: Row, known: Known) -> bool | None:
    if not row["objects"]:
        return None
    return all((each["label"] or "").strip() for each in row["objects"])


def _dates_in_order(row: Row, known: Known) -> bool | None:
    created, modified = row["created"], row["modified"]
    return created <= modified if created and modified else None


def _turns_alternate(row: Row, known: Known) -> bool:
    messages = row["messages"]
    roles = "".join({"system": "s", "user": "u", "assistant": "a"}.get(each["role"], "?") for each in messages)
    return bool(_TURNS.fullmatch(roles)) and all((each["content"] or "").strip() for each in messages)


_SIMPLE: Mapping[str, tuple[str, ...]] = {
    "images": ("sha256",),
    "listings": ("id", "title", "price"),
    "guides": ("id", "text"),
    "queries": ("id", "text"),
    "qrels": ("query", "guide", "relevance"),
    "conversations": ("id",),
    "preferences": ("id",),
    "nodes": ("id", "text"),
    "edges": (),
}
_DERIVED: Mapping[str, Mapping[str, Derive]] = {
    "images": {
        "shorter_side": lambda row, known: min(row["width"], row["height"]),
        "elongation": lambda row, known: max(row["width"], row["height"]) / max(1, min(row["width"], row["height"])),
    },
    "listings": {
        "ids_name_their_source": lambda row, known: row["id"].startswith(f"{row['source']}:"),
        "images_known": lambda row, known: row["image"] in known["images"],
        "objects_labelled": _objects_have_labels,
        "boxes_inside_image": _boxes_inside,
        "relations_point_at_objects": _relations_point,
        "body_sanitised": lambda row, known: None if row["body"] is None else nh3.clean(row["body"]) == row["body"],
        "dates_in_order": _dates_in_order,
    },
    "qrels": {
        "judgement": lambda row, known: json.dumps([row["query"], row["guide"]], ensure_ascii=False),
        "judgements_join_known": lambda row, known: (
            row["query"] in known["queries"] and row["guide"] in known["guides"]
        ),
    },
    "conversations": {"turns_alternate": _turns_alternate},
    "preferences": {"answers_differ": lambda row, known: row["chosen"].strip() != row["rejected"].strip()},
    "edges": {
        "edges_join_known_nodes": lambda row, known: known["nodes"] >= {row["source"], row["target"]},
        "edges_no_loops": lambda row, known: row["source"] != row["target"],
    },
}
