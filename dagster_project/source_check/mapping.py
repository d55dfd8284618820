"""Describe the mapping of a source by its first records."""

from collections.abc import Mapping, Sequence
from typing import Any

from dagster_project.source_check.results import MappedField, SourceCheck
from heddle.sources.parameters import Mapped, Source, WebDataset

MAX_EXAMPLE = 200  # characters


def describe_mapping(source: Source, records: Sequence[Mapping[str, Any]], check: SourceCheck) -> None:
    """Note the mapping of a source that has one, each field with an example, and the columns without a field."""
    if not isinstance(source, Mapped):
        return
    rows = [_flatten(record) if isinstance(source, WebDataset) else record for record in records]
    for name, column in source.columns.items():
        found = (row.get(column) for row in rows)
        example = next((str(value)[:MAX_EXAMPLE] for value in found if value not in (None, "")), None)
        check.fields.append(MappedField(name, column, example))
    columns = dict.fromkeys(str(column) for row in rows for column in row)
    check.unmapped = [column for column in columns if column not in source.columns.values()]


def _flatten(sample: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a sample in a tar: its endings, and the keys in its JSON as dotted paths."""
    columns: dict[str, Any] = dict.fromkeys(sample.get("endings", ()))
    for ending, value in sample.items():
        if isinstance(value, Mapping):
            columns |= _flatten_json(value, ending)
        elif ending != "endings":
            columns[ending] = value
    return {column: value for column, value in columns.items() if not isinstance(sample.get(column), Mapping)}


def _flatten_json(content: Mapping[str, Any], path: str) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for key, value in content.items():
        inner = f"{path}.{key}"
        columns |= _flatten_json(value, inner) if isinstance(value, Mapping) else {inner: value}
    return columns
