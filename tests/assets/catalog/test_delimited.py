"""CSV files as spreadsheets write them: delimiters, encodings, empty files."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.catalog.delimited import DelimitedError, detect_delimiter, find_dialect, read_delimited

ROWS = [["id", "title"], ["1", "Café, oak; old"], ["2", "Stühle | two"], ["3", "größer"]]


def write(path: Path, delimiter: str, encoding: str) -> Path:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(ROWS)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def _rows(path: Path, delimiter: str | None = None, encoding: str | None = None) -> list[list[str]]:
    return list(read_delimited(path, find_dialect(path, delimiter, encoding, ",")))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiter_and_unicode_are_detected(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = write(tmp_path / "table.csv", delimiter, encoding)
    assert _rows(path) == ROWS


def test_encoding_and_delimiter_can_be_set(tmp_path: Path) -> None:
    path = write(tmp_path / "table.csv", "^", "latin-1")
    assert _rows(path, "^", "latin-1") == ROWS


def test_one_column_needs_no_delimiter(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("id\n1\n2\n")
    assert _rows(tmp_path / "table.csv") == [["id"], ["1"], ["2"]]


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (b"", None, "the file is empty"),
        (b"id\n1\n\xfe\xff\x81\x00\x9d\n", None, "line 3: byte 0xfe at offset 5 is not utf-8, and "),
        ("id\n1\ngr\xf6\xdfer\n".encode("latin-1"), "utf-8", "line 3: byte 0xf6 at offset 7 is not utf-8: the file"),
        (b"id\n1\n", "utf-1000", "not in the encoding utf-1000; set `encoding`"),
    ],
)
def test_error_names_the_remedy(tmp_path: Path, content: bytes, encoding: str | None, message: str) -> None:
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(DelimitedError) as caught:
        _rows(tmp_path / "table.csv", encoding=encoding)
    assert message in str(caught.value)


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8)


@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5), delimiter=st.sampled_from(",;\t|"))
def test_header_of_plain_names_decides_the_delimiter(rows: list[list[str]], delimiter: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([["id", "title"], *rows])
    assert detect_delimiter(text.getvalue(), ",") == delimiter
