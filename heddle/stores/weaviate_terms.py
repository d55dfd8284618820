"""Convert Arrow columns and rows, and conditions, to Weaviate's types.

Numbers are sent as doubles, so integers are exact up to 2^53. Empty and missing lists are equal.
"""

import base64
import uuid
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

import pyarrow as pa
from weaviate.classes.config import DataType, Property, Tokenization
from weaviate.classes.data import DataObject
from weaviate.classes.query import Filter
from weaviate.collections.classes.filters import FilterReturn

from heddle.stores.store import ID, Collection, Condition, StoreError

IDENTIFIER = "identifier"  # Weaviate reserves the name `id`
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_OID, "heddle")  # of the objects' UUIDs


def properties(collection: Collection) -> list[Property]:
    """The properties of a collection: every column other than vectors.

    Raises:
        StoreError: Weaviate has no type for a column, or a column has the reserved name.
    """
    if IDENTIFIER in collection.table.column_names:
        raise StoreError(f"{collection.name}: the column name `{IDENTIFIER}` is reserved for ids; rename the column")
    fields = [field for field in collection.table.schema if field.name not in collection.vectors]
    return [_property(field, searched=field.name == collection.text) for field in fields]


def property_of(column: str) -> str:
    """The property of a column."""
    return IDENTIFIER if column == ID else column


def column_of(name: str) -> str:
    """The column of a property."""
    return ID if name == IDENTIFIER else name


def objects(rows: pa.Table, vectors: tuple[str, ...]) -> Iterator[DataObject[Any, Any]]:
    """A table's rows as objects: without nulls, with bytes in base64 and UUIDs derived from the ids."""
    for row in rows.to_pylist():
        present = {column: value for column, value in row.items() if value is not None}
        yield DataObject(
            uuid=uuid.uuid5(NAMESPACE, row[ID]),
            properties={property_of(name): _plain(value) for name, value in present.items() if name not in vectors},
            vector={name: present[name] for name in vectors if name in present},
        )


def value_of(found: Any, kind: DataType) -> Any:
    """A property's value, converted back to the column's type."""
    return base64.b64decode(found) if kind is DataType.BLOB and found is not None else found


def filters(conditions: tuple[Condition, ...], kinds: Mapping[str, DataType]) -> FilterReturn | None:
    """All conditions joined by AND; None without conditions.

    Args:
        conditions: the conditions.
        kinds: column to its type.
    """
    each = [_filter(condition, kinds[condition.column]) for condition in conditions]
    return reduce(lambda one, other: one & other, each) if each else None


def _filter(condition: Condition, kind: DataType) -> FilterReturn:
    target = Filter.by_property(property_of(condition.column))
    compare = {
        "=": target.equal,
        "<": target.less_than,
        "<=": target.less_or_equal,
        ">": target.greater_than,
        ">=": target.greater_or_equal,
    }
    whole = isinstance(condition.value, int) and not isinstance(condition.value, bool)
    return compare[condition.operator](float(condition.value) if whole and kind is DataType.NUMBER else condition.value)


def _property(field: pa.Field, searched: bool) -> Property:
    kind = _data_type(field)
    text = kind in (DataType.TEXT, DataType.TEXT_ARRAY)
    return Property(
        name=property_of(field.name),
        data_type=kind,
        index_filterable=kind is not DataType.BLOB and not searched,
        index_searchable=searched if text else None,
        index_range_filters=True if kind in (DataType.INT, DataType.NUMBER) else None,
        # The searched text is split into words; all other texts are compared as a whole.
        tokenization=(Tokenization.WORD if searched else Tokenization.FIELD) if text else None,
    )


def _data_type(field: pa.Field) -> DataType:
    kind = field.type
    if pa.types.is_list(kind) and pa.types.is_string(kind.value_type):
        return DataType.TEXT_ARRAY
    for fits, data_type in (
        (pa.types.is_string, DataType.TEXT),
        (pa.types.is_boolean, DataType.BOOL),
        (pa.types.is_integer, DataType.INT),
        (pa.types.is_floating, DataType.NUMBER),
        (pa.types.is_binary, DataType.BLOB),
    ):
        if fits(kind):
            return data_type
    raise StoreError(f"column {field.name}: Weaviate has no type for {kind}")


def _plain(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
