"""Ids of records: which are allowed, in every table; a refused one is quarantined and can be printed."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.catalog.collector import Collector
from assets.catalog.rows import KEYS, MAX_ID_LENGTH, MalformedError, check_id
from tests.support.source_project import image

BAD = {
    "": "id is missing",
    "a\0": "character 2 is U+0000",
    "a\nb": "character 2 is U+000A",
    "a\u202eb": "character 2 is U+202E",
    "\x1b[31m": "character 1 is U+001B",
    "a\u200bb": "character 2 is U+200B",
    "1\udcff": "character 2 is U+DCFF",
    "x" * (MAX_ID_LENGTH + 1): "1,001 characters, allowed: 1,000",
    "../../evil": "has a part `.` or `..`",
    "shop/..": "has a part `.` or `..`",
    "a\\..\\b": "has a part `.` or `..`",
    ".": "has a part `.` or `..`",
}
GOOD = [
    "1",
    "00143901-a14c",
    "/product/oak-chair/",
    "a/b.c",
    "стул 5",
    "椅子",
    "v1.2..3",
    "a b",
    "https://x.test/a?b=c#d",
]
ROWS = {
    "guides": {"id": "1", "text": "Glue."},
    "queries": {"id": "1", "text": "Glue?"},
    "qrels": {"query": "1", "guide": "2", "relevance": 1},
    "nodes": {"id": "1", "type": "item"},
    "edges": {"source": "1", "relation": "becomes", "target": "2"},
}


@pytest.mark.parametrize("native", BAD)
def test_bad_id_is_refused_with_the_reason(native: str) -> None:
    with pytest.raises(MalformedError) as caught:
        check_id(native)
    assert BAD[native] in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("native", [*GOOD, "x" * MAX_ID_LENGTH])
def test_good_id_is_accepted(native: str) -> None:
    check_id(native)


@given(native=st.text(min_size=1, max_size=20))
def test_accepted_id_is_one_visible_line(native: str) -> None:
    try:
        check_id(native)
    except MalformedError:
        return
    assert len(native.splitlines()) == 1
    assert not {unicodedata.category(character) for character in native} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    native.encode()


@pytest.mark.parametrize("native", BAD)
def test_listing_with_bad_id_is_quarantined_and_printable(tmp_path: Path, native: str) -> None:
    collector = Collector(tmp_path, 1e6, 1_000_000, 1)
    assert collector.add_listing("shop", native, {"title": "Chair"}, {"id": native}, "row 1") is None
    draft = collector.add_listing("shop", "good", {}, {}, "row 2")
    assert draft is not None
    collector.set_image_bytes(draft, image(1))
    result = collector.finish()
    (row,) = result.quarantine
    assert row["reason"] == "malformed_record"
    assert row["id"].startswith("shop:")
    assert row["id"].isprintable()
    assert len(row["id"]) <= 2 * MAX_ID_LENGTH
    assert [draft.id for draft, _ in result.listings] == ["shop:good"]


@pytest.mark.parametrize("table", ROWS)
def test_row_of_any_table_with_a_bad_id_is_quarantined(tmp_path: Path, table: str) -> None:
    collector = Collector(tmp_path, 1e6, 1_000_000, 1)
    collector.add_row(table, "shop", ROWS[table], ROWS[table], "row 0")
    for number, native in enumerate(filter(None, BAD), 1):
        row = ROWS[table] | {KEYS[table][0]: native}
        collector.add_row(table, "shop", row, row, f"row {number}")
    assert len(collector.tables[table]) == 1
    assert {row["reason"] for row in collector.finish().quarantine} == {"malformed_record"}
