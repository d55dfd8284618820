"""What the first records of a source show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class MappedField:
    """A field of the table, the column that it is read from, and the first value of the column."""

    field: str
    column: str
    example: str | None


@dataclass(frozen=True)
class AcceptedRecord:
    """A record that the stage would accept.

    Attributes:
        image: format, width, height and bytes; None for tables other than `listings`.
    """

    table: str
    id: str
    title: str | None
    image: Mapping[str, Any] | None


@dataclass(frozen=True)
class RefusedRecord:
    """A record that the stage would quarantine."""

    table: str
    id: str
    origin: str
    reason: str
    detail: str


@dataclass
class SourceCheck:
    """What the first records of a source show.

    Attributes:
        locations: files, folders or addresses.
        looked_at: number of records.
        limited: whether the source has more records.
        delimiter: of a CSV or TSV file.
        encoding: of a CSV or TSV file.
        encoding_guessed: whether the encoding was guessed from the letters of the text.
        fields: the mapping, of sources that have one.
        unmapped: columns that no field is read from.
        notes: remarks of the source.
    """

    name: str
    kind: str
    locations: list[str]
    looked_at: int = 0
    limited: bool = False
    delimiter: str | None = None
    encoding: str | None = None
    encoding_guessed: bool = False
    fields: list[MappedField] = field(default_factory=list)
    unmapped: list[str] = field(default_factory=list)
    accepted: list[AcceptedRecord] = field(default_factory=list)
    refused: list[RefusedRecord] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
