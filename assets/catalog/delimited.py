"""Read CSV and TSV files of any delimiter and encoding. Delimiter and encoding are detected."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assets.catalog.encodings import EncodingError, FoundEncoding, detect_encoding, find_undecodable

DELIMITERS = ",;\t|"
_MAX_FIELD_LENGTH = 10_000_000  # characters of one field


class DelimitedError(Exception):
    """The file cannot be read; the message contains the row, if known, and what to do."""


@dataclass(frozen=True)
class Dialect:
    """Form of a file.

    Attributes:
        delimiter: character between cells.
        encoding: name of the encoding, as Python knows it.
        guessed: whether the encoding was guessed from the letters of the text.
    """

    delimiter: str
    encoding: str
    guessed: bool


def detect_delimiter(sample: str, default: str) -> str:
    """Return the delimiter of a file's first lines; the default if there is only one column."""
    header = sample.partition("\n")[0]
    candidates = [delimiter for delimiter in DELIMITERS if delimiter in header]
    if len(candidates) <= 1:
        return candidates[0] if candidates else default
    try:  # a name of a column contains one of the others
        return csv.Sniffer().sniff(sample, "".join(candidates)).delimiter
    except csv.Error:
        return default if default in candidates else max(candidates, key=header.count)


def find_dialect(path: Path, delimiter: str | None, encoding: str | None, default: str) -> Dialect:
    """Find the form of a file.

    Args:
        delimiter: character between cells; None: detected.
        encoding: name of the encoding, as Python knows it; None: detected.
        default: delimiter of a file with one column.

    Raises:
        DelimitedError: the file is empty, or its encoding is not known.
    """
    if not path.stat().st_size:
        raise DelimitedError("the file is empty; its first row must contain the names of the columns")
    try:
        found = FoundEncoding(encoding) if encoding else detect_encoding(path)
        with path.open(encoding=found.name, newline="") as file:
            sample = "".join(line for line, _ in zip(file, range(20), strict=False))
    except EncodingError as error:
        raise DelimitedError(str(error)) from error
    except (UnicodeError, LookupError) as error:
        raise _name_encoding(path, encoding or "", error) from error
    return Dialect(delimiter or detect_delimiter(sample, default), found.name, found.guessed)


def read_delimited(path: Path, dialect: Dialect) -> Iterator[list[str]]:
    """Iterate over the rows of a file, first the header.

    Raises:
        DelimitedError: the encoding does not fit, or a row is no CSV.
    """
    csv.field_size_limit(_MAX_FIELD_LENGTH)
    rows = 0
    try:
        with path.open(encoding=dialect.encoding, newline="") as file:
            for row in csv.reader(file, delimiter=dialect.delimiter):
                if row:
                    rows += 1
                    yield row
    except UnicodeError as error:
        raise _name_encoding(path, dialect.encoding, error) from error
    except csv.Error as error:
        raise DelimitedError(f"{_name(rows)}: {error}; fix the quotes of this row, or set `delimiter`") from error


def _name_encoding(path: Path, encoding: str, error: Exception) -> DelimitedError:
    """The error of a file that is not in an encoding, with its place."""
    place = None if isinstance(error, LookupError) else find_undecodable(path, encoding)
    return DelimitedError(
        f"{place or error}: the file is not in the encoding {encoding}; set `encoding`: utf-8, utf-16, cp1252, …"
    )


def _name(rows: int) -> str:
    """Name the place of an error after a number of rows, the header included."""
    return f"after row {rows - 1}" if rows > 1 else "at the start"
