"""Tables read in parts: the parts' borders are not to be seen."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from assets.validated.columns import build_frame
from assets.validated.tables import filter_rows, iterate_rows, iterate_rows_at
from heddle.core.schemas import BATCH, QUERIES, ROW_GROUP, write_table

ROWS = 2 * ROW_GROUP + 7


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "queries.parquet"
    write_table(path, [{"id": f"s:{number}", "text": f"how? {number}"} for number in range(ROWS)], QUERIES)
    return path


def test_rows_come_in_order_with_the_columns_that_are_asked_for(file: Path) -> None:
    assert list(iterate_rows(file)) == pq.read_table(file).to_pylist()
    assert list(iterate_rows(file, ["text"])) == pq.read_table(file, columns=["text"]).to_pylist()


def test_rows_are_found_at_their_places(file: Path) -> None:
    places = [ROWS - 1, 0, BATCH - 1, BATCH, ROW_GROUP]
    assert [row["id"] for row in iterate_rows_at(file, places)] == [f"s:{place}" for place in sorted(places)]
    assert list(iterate_rows_at(file, [])) == []


def test_sound_rows_are_kept_and_written_as_if_read_at_once(file: Path, tmp_path: Path) -> None:
    sound = np.arange(ROWS) % 3 > 0
    kept = filter_rows(file, sound)
    assert kept == pq.read_table(file).filter(sound)
    write_table(tmp_path / "parts.parquet", kept, QUERIES)
    write_table(tmp_path / "once.parquet", pq.read_table(file).filter(sound), QUERIES)
    assert (tmp_path / "parts.parquet").read_bytes() == (tmp_path / "once.parquet").read_bytes()


def test_an_empty_table_has_its_columns(tmp_path: Path) -> None:
    write_table(tmp_path / "none.parquet", [], QUERIES)
    assert filter_rows(tmp_path / "none.parquet", np.full(0, True)).schema == QUERIES
    assert list(build_frame("queries", [], {})) == ["row", "name", "id", "text"]


def test_a_frame_numbers_its_rows_through(file: Path) -> None:
    shown = build_frame("queries", iterate_rows(file), {})
    assert list(shown["row"]) == list(shown.index) == list(range(ROWS))
    assert list(shown["name"]) == list(shown["id"]) == [f"s:{number}" for number in range(ROWS)]
