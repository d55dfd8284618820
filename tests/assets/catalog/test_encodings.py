"""Encodings of spreadsheets: real texts read back as they were written; undecided files name place and remedy."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.catalog.collector import Collector
from assets.catalog.delimited import find_dialect, read_delimited
from assets.catalog.encodings import EncodingError, FoundEncoding, detect_encoding, find_undecodable
from assets.catalog.table import TableSource
from heddle.sources.parameters import Table

TEXTS = {
    "German": ["Stühle für draußen, größer", "Tür mit Schloß", "Käfig aus Eiche"],
    "French": ["Café crème à la française", "Fenêtre en chêne, très légère", "Où est le garçon ?"],
    "Czech": ["Dřevěná židle, růžová", "Příliš žluťoučký kůň"],
    "Swedish": ["Trästol på hjul, blå"],
    "Polish": ["Krzesło dębowe, żółte", "Półka na książki", "Świecznik szklany, STÓŁ"],
}
ENCODINGS = {
    "German": ("latin-1", "cp1252", "cp1250"),
    "French": ("latin-1", "cp1252"),
    "Czech": ("cp1250", "iso8859-2"),
    "Swedish": ("latin-1", "cp1252"),
    "Polish": ("cp1250", "iso8859-2"),
}


@pytest.mark.parametrize(("language", "encoding"), [(name, each) for name in TEXTS for each in ENCODINGS[name]])
@pytest.mark.parametrize("plain_rows", [0, 20_000])
def test_real_texts_are_read_as_written(tmp_path: Path, language: str, encoding: str, plain_rows: int) -> None:
    rows = [["id", "title"], *[["0", "oak"]] * plain_rows, *([str(n), text] for n, text in enumerate(TEXTS[language]))]
    path = tmp_path / "table.csv"
    path.write_bytes("".join(f"{id_};{title}\n" for id_, title in rows).encode(encoding))
    assert detect_encoding(path).guessed
    assert list(read_delimited(path, find_dialect(path, None, None, ","))) == rows


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\ufeff"), min_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_utf_8_is_never_guessed(tmp_path: Path, text: str) -> None:
    (tmp_path / "table.csv").write_bytes(text.encode())
    assert detect_encoding(tmp_path / "table.csv") == FoundEncoding("utf-8")


def test_one_damaged_byte_of_utf_8_is_named(tmp_path: Path) -> None:
    content = "id;title\n1;Stühle für draußen\n2;Tür\n".encode()
    path = tmp_path / "table.csv"
    path.write_bytes(content + b"3;gr\xf6sser\n")
    with pytest.raises(EncodingError, match=f"line 4: byte 0xf6 at offset {len(content) + 4} is not utf-8; most other"):
        detect_encoding(path)


@pytest.mark.parametrize(
    ("title", "encoding", "problem"),
    [
        ("niño", "cp1252", "cp1252 and cp1250 and iso8859_2 are equally likely; set `encoding`"),  # or nińo
        ("Стул деревянный", "cp1251", "none of cp1252, cp1250, iso8859_2 fits; set `encoding`"),
    ],
)
def test_undecided_file_is_not_guessed(tmp_path: Path, title: str, encoding: str, problem: str) -> None:
    path = tmp_path / "table.csv"
    content = title.encode(encoding)
    path.write_bytes(b"id;title\n1;" + content + b"\n")
    offset = 11 + next(index for index, byte in enumerate(content) if byte > 127)
    with pytest.raises(EncodingError) as caught:
        detect_encoding(path)
    assert str(caught.value).startswith("line 2: byte 0x")
    assert f" at offset {offset} is not utf-8, and {problem}" in str(caught.value)


@given(before=st.integers(0, 3), lines=st.integers(0, 4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_place_is_that_of_the_whole_file(tmp_path: Path, before: int, lines: int) -> None:
    content = b"a\n" * lines + "é".encode() * ((1 << 19) - before) + b"\xff"
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(UnicodeDecodeError) as caught:
        content.decode()
    place = find_undecodable(tmp_path / "table.csv", "utf-8")
    assert place == f"line {lines + 1}: byte 0xff at offset {caught.value.start:,} is not utf-8"


@pytest.mark.parametrize("encoding", [None, "cp1252"])
def test_guess_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], encoding: str | None) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("id;title\n1;Stühle für draußen\n".encode("cp1252"))
    columns = {"id": "id", "title": "title"}
    source = Table(kind="table", name="shop", path=str(path), columns=columns, encoding=encoding)
    TableSource(source).gather(Collector(tmp_path, 1e6, 1_000, 1))
    said = f"[catalog] source shop: {path}: guessed encoding cp125" in capsys.readouterr().out
    assert said == (encoding is None)
