"""Convert records of sources to rows that fit the tables' schemas."""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from assets.catalog.nested_json import parse_json
from heddle.core.html_text import one_line, plain_text, safe_html
from heddle.core.schemas import LISTINGS, TABLES

CONTEXT_FIELDS = ("site", "locale", "preferences")
REFERENCES = {
    "guides": ("id",),
    "queries": ("id",),
    "qrels": ("query", "guide"),
    "conversations": ("id",),
    "preferences": ("id",),
    "nodes": ("id",),
    "edges": ("source", "target"),
}
"""Columns with ids, which get the source's name as prefix."""
KEYS = REFERENCES | {"edges": ("source", "relation", "target")}
"""Columns that together are the key of a table."""


MAX_ID_LENGTH = 1_000
"""Characters of the longest id: a page's path with percent-encoded words fits, a description does not."""


class MalformedError(ValueError):
    """A record is malformed; the message contains the field and its value."""


def check_id(native: str) -> None:
    """Check a source's own id. Ids become part of URLs, custom fields of posts, keys of stores and lines on terminals.

    Letters, digits, signs and spaces of any language are allowed, also `/`, as pages and members of tars have paths.

    Raises:
        MalformedError: the id is missing or too long; it has a character that cannot be seen (line breaks, control and
            bidi characters, half of a surrogate pair), which would change lines or make two ids look equal; or it has
            a part `.` or `..`, which a path or URL resolves to another one.
    """
    if not native:
        raise MalformedError("id is missing")
    if len(native) > MAX_ID_LENGTH:
        raise MalformedError(f"id has {len(native):,} characters, allowed: {MAX_ID_LENGTH:,}")
    for number, character in enumerate(native, 1):
        if not character.isprintable():
            code = f"U+{ord(character):04X}"
            raise MalformedError(f"id: character {number} is {code}; allowed: characters that are visible, and spaces")
    if any(part in (".", "..") for part in re.split(r"[/\\]", native)):
        raise MalformedError(f"id {native[:200]!r} has a part `.` or `..`, which leads elsewhere in a path or URL")


def qualify_id(source: str, native: str) -> str:
    """Prefix an id with the name of its source: `<source>:<id>`."""
    return f"{source}:{native}"


def printable_id(record_id: str) -> str:
    """Return an id for the quarantine, also of a record whose id was refused: one line of visible characters, cut."""
    cut = record_id[: 2 * MAX_ID_LENGTH]
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in cut)


def build_listing_row(source: str, native_id: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Build a row of `listings` without its image.

    Args:
        fields: values by :data:`heddle.sources.parameters.ListingField`.

    Raises:
        MalformedError: a field has the wrong type or form.
    """
    row: dict[str, Any] = dict.fromkeys(LISTINGS.names)
    for field, value in fields.items():
        if field not in CONTEXT_FIELDS:
            row[field] = _parse(field, value)
    context = {field: _parse(field, fields.get(field)) for field in CONTEXT_FIELDS}
    row["context"] = context if any(context.values()) else None
    return row | {"id": qualify_id(source, native_id), "source": source}


def build_table_row(table: str, source: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Build a row of any other table, with prefixed ids.

    Raises:
        MalformedError: a required column is missing, or a value does not fit its column.
    """
    schema = TABLES[table]
    row = {name: fields.get(name) for name in schema.names}
    for name in schema.names:
        if row[name] is None and not schema.field(name).nullable:
            raise MalformedError(f"{name} is missing")
    try:
        fitted: dict[str, Any] = pa.Table.from_pylist([_coerce_types(row, schema)], schema=schema).to_pylist()[0]
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise MalformedError(f"does not fit the table {table}: {one_line(str(error))}") from error
    for name in REFERENCES[table]:
        check_id(fitted[name])
    return fitted | {name: qualify_id(source, fitted[name]) for name in REFERENCES[table]}


def to_json(record: object) -> str:
    """Encode a record as JSON with sorted keys, for the quarantine."""
    try:
        return escape_surrogates(json.dumps(record, sort_keys=True, ensure_ascii=False, default=str))
    except TypeError:  # keys of different types cannot be sorted
        return escape_surrogates(json.dumps(record, ensure_ascii=False, default=str))


def escape_surrogates(text: str) -> str:
    r"""Escape halves of surrogate pairs, which UTF-8 cannot encode, as in JSON: `\ud800`."""
    return text.encode("utf-8", "backslashreplace").decode()


def _coerce_types(row: Mapping[str, Any], schema: pa.Schema) -> dict[str, Any]:
    """Convert numbers to text in text columns, and text to numbers or lists in other columns."""
    converted = dict(row)
    for field in schema:
        value = row[field.name]
        if pa.types.is_string(field.type) and isinstance(value, int | float):
            converted[field.name] = str(value)
        elif pa.types.is_integer(field.type) and isinstance(value, str):
            converted[field.name] = int(value)
        elif pa.types.is_list(field.type) and isinstance(value, str):
            converted[field.name] = parse_json(value)
    return converted


def _parse(field: str, value: Any) -> Any:
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    try:
        return _PARSERS.get(field, _text)(value)
    except MalformedError as error:
        raise MalformedError(f"{field}: {error}") from error
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise MalformedError(f"{field}: found {str(value)[:120]!r}") from error


def _scalar(value: Any) -> str:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        text = str(value)
        if escape_surrogates(text) != text:
            raise MalformedError(f"contains half of a surrogate pair: {escape_surrogates(text)[:120]!r}")
        return text
    raise MalformedError(f"expected text, found {str(value)[:120]!r}")


def _text(value: Any) -> str | None:
    return one_line(_scalar(value)) or None


def _plain(value: Any) -> str | None:
    return plain_text(_scalar(value)) or None


def _html(value: Any) -> str | None:
    return safe_html(_scalar(value)) or None


def _price(value: Any) -> float:
    price = float(value)
    if not math.isfinite(price):
        raise MalformedError(f"found {value!r}, expected a number")
    return price


def _list(value: Any) -> list[Any]:
    """Parse a list, JSON text, or text separated by `|`."""
    if isinstance(value, str):
        value = parse_json(value) if value.lstrip().startswith("[") else value.split("|")
    if not isinstance(value, list | tuple):
        raise MalformedError(f"expected a list, found {str(value)[:120]!r}")
    return list(value)


def _texts(value: Any) -> list[str]:
    return [text for text in (_text(each) for each in _list(value)) if text]


def _objects(value: Any) -> list[dict[str, Any]]:
    return [
        {
            "label": _scalar(each["label"]),
            "box": _box(each["box"]),
            "attributes": _texts(each.get("attributes") or []),
        }
        for each in _list(value)
    ]


def _box(value: Any) -> list[float]:
    box = [float(edge) for edge in value]
    if len(box) != 4 or not all(map(math.isfinite, box)):
        raise MalformedError(f"expected a box of four numbers, found {value!r}")
    return box


def _relations(value: Any) -> list[dict[str, Any]]:
    return [
        {
            "subject": int(each["subject"]),
            "predicate": _scalar(each["predicate"]),
            "object": int(each["object"]),
        }
        for each in _list(value)
    ]


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "title": _plain,
    "description": _plain,
    "alt_text": _plain,
    "caption": _plain,
    "seo_title": _plain,
    "seo_description": _plain,
    "body": _html,
    "tags": _texts,
    "categories": _texts,
    "preferences": _texts,
    "price": _price,
    "objects": _objects,
    "relations": _relations,
}
