"""Read CSV and TSV files of any delimiter and encoding. A delimiter, UTF-8 and UTF-16 are detected."""

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path

DELIMITERS = ",;\t|"
_MAX_FIELD_LENGTH = 10_000_000  # characters of one field
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class DelimitedError(Exception):
    """The file cannot be read; the message contains the row, if known, and what to do."""


def detect_encoding(path: Path) -> str:
    """Return the encoding of a file by its byte order mark; UTF-8 if there is none.

    Others, such as Latin-1, are not guessed from bytes: a wrong guess would change names and nobody would see it.
    """
    with path.open("rb") as file:
        start = file.read(4)
    return next((encoding for mark, encoding in _BOMS.items() if start.startswith(mark)), "utf-8")


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


def read_delimited(path: Path, delimiter: str | None, encoding: str | None, default: str) -> Iterator[list[str]]:
    """Iterate over the rows of a file, first the header.

    Args:
        delimiter: character between cells; None: detected.
        encoding: name of the encoding, as Python knows it; None: detected.
        default: delimiter of a file with one column.

    Raises:
        DelimitedError: the file is empty, the encoding does not fit, or a row is no CSV.
    """
    csv.field_size_limit(_MAX_FIELD_LENGTH)
    if not path.stat().st_size:
        raise DelimitedError("the file is empty; its first row must contain the names of the columns")
    encoding = encoding or detect_encoding(path)
    rows = 0
    try:
        with path.open(encoding=encoding, newline="") as file:
            sample = "".join(line for line, _ in zip(file, range(20), strict=False))
            file.seek(0)
            for row in csv.reader(file, delimiter=delimiter or detect_delimiter(sample, default)):
                if row:
                    rows += 1
                    yield row
    except (UnicodeError, LookupError) as error:
        raise DelimitedError(
            f"{_name(rows)}: not in the encoding {encoding}: {error}; set `encoding`: utf-16, cp1252, latin-1, …"
        ) from error
    except csv.Error as error:
        raise DelimitedError(f"{_name(rows)}: {error}; fix the quotes of this row, or set `delimiter`") from error


def _name(rows: int) -> str:
    """Name the place of an error after a number of rows, the header included."""
    return f"after row {rows - 1}" if rows > 1 else "at the start"
