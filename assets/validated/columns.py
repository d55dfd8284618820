"""Columns that Great Expectations looks at: simple ones as they are, nested ones as verdicts of our own.

A verdict is True, False, or None where the expectation does not apply to the row.
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
Verdict = Callable[[Row, Known], bool | float | str | None]

KEYS: Mapping[str, tuple[str, ...]] = {
    "images": ("sha256",),
    "qrels": ("query", "guide"),
    "edges": ("source", "relation", "target"),
}
"""Columns that name a row, where it is not `id`."""
JOINS: Mapping[str, tuple[str, ...]] = {
    "listings": ("images",),
    "qrels": ("guides", "queries"),
    "edges": ("nodes",),
}
"""The tables that `frame` must know the accepted ids of; no two tables join the same."""

_NUMBERS = {"shorter_side": "int64", "elongation": "float64", "price": "float64", "relevance": "int64"}
"""Types of the columns that hold neither text nor True, False and None."""
_TURNS = re.compile(r"s?(ua)+")


def frame(table: str, rows: Iterable[Row], known: Known) -> pd.DataFrame:
    """The rows as columns: `row`, their numbers from 0, `name`, simple and derived columns.

    Nested columns are left out, as no rule looks at them. Texts and numbers are no Python objects, which would take
    several times the memory, and are turned into columns a few rows at a time.
    """
    remaining = iter(rows)
    parts = [_part(table, islice(remaining, BATCH), known)]
    while len(parts[-1]):
        parts.append(_part(table, islice(remaining, BATCH), known))
    joined = pd.concat(parts, ignore_index=True)
    joined.insert(0, "row", np.arange(len(joined)))
    return joined


def _part(table: str, rows: Iterable[Row], known: Known) -> pd.DataFrame:
    derived = _DERIVED.get(table, {})
    values: dict[str, list[Any]] = {name: [] for name in ("name", *_SIMPLE[table], *derived)}
    for row in rows:
        values["name"].append(name_of(table, row))
        for name in _SIMPLE[table]:
            values[name].append(row[name])
        for name, verdict in derived.items():
            values[name].append(verdict(row, known))
    columns = {
        name: pd.Series(values[name], dtype=_NUMBERS.get(name, "object" if name in derived else "str"))
        for name in values
    }
    key, *further = KEYS.get(table, ("id",))
    if not further:
        columns["name"] = columns[key]  # the same bytes, once
    return pd.DataFrame(columns)


def name_of(table: str, row: Row) -> str:
    """What a row is called in the quarantine and in messages."""
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


def _objects_labelled(row: Row, known: Known) -> bool | None:
    return all((each["label"] or "").strip() for each in row["objects"]) if row["objects"] else None


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
_DERIVED: Mapping[str, Mapping[str, Verdict]] = {
    "images": {
        "shorter_side": lambda row, known: min(row["width"], row["height"]),
        "elongation": lambda row, known: max(row["width"], row["height"]) / max(1, min(row["width"], row["height"])),
    },
    "listings": {
        "ids_name_their_source": lambda row, known: row["id"].startswith(f"{row['source']}:"),
        "images_known": lambda row, known: row["image"] in known["images"],
        "objects_labelled": _objects_labelled,
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
