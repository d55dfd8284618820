"""What is LanceDB's own: the words' weights, and tables of earlier layouts."""

import math
from pathlib import Path

import lancedb
import pyarrow as pa
import pytest

from heddle.stores import lance, open_store
from heddle.stores.parameters import LanceDb
from heddle.stores.store import Collection, StoreError, StoreQuery
from tests.support.stored import everything, ids, listings

LANCE = LanceDb(kind="lancedb")


def test_words_are_ranked_by_bm25_with_lances_own_weights(folder: Path) -> None:
    rows = listings().table.num_rows
    mean = sum(2 + number for number in range(rows)) / rows
    with open_store(LANCE, folder) as store:
        store.publish(listings())
        (hit,) = store.search("listings", StoreQuery(text="number6"))
    idf = math.log(1 + (rows - 1 + 0.5) / (1 + 0.5))
    assert hit.score == pytest.approx(idf * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 8 / mean)), rel=1e-5)


def test_words_are_found_in_every_form(folder: Path) -> None:
    with open_store(LANCE, folder) as store:
        store.publish(listings())
        assert len(store.search("listings", StoreQuery(text="chairs", limit=100))) == 20


def test_open_table_readable_until_publish_after_next(folder: Path) -> None:
    with open_store(LANCE, folder) as store:
        held = lancedb.connect(str(folder)).open_table(store.publish(listings("a")))
        store.publish(listings("b"))
        assert set(held.to_arrow().column("id").to_pylist()) == ids("a")
        assert len(held.search("chair", query_type="fts").limit(100).to_list()) == 20


def test_a_table_that_goes_under_a_search_is_followed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def publish_two_others_first(*arguments: object) -> dict[int, float]:
        monkeypatch.setattr(lance, "_by_vector", by_vector)
        with open_store(LANCE, folder) as other:
            other.publish(listings("b"))
            other.publish(listings("c"))
        return by_vector(*arguments)

    by_vector = lance._by_vector
    with open_store(LANCE, folder) as store:
        store.publish(listings("a"))
        monkeypatch.setattr(lance, "_by_vector", publish_two_others_first)
        assert everything(store) == ids("c")


def test_a_table_of_which_only_a_part_was_written_makes_way(folder: Path) -> None:
    half = folder / "listings_0123456789abcdef_01234567.lance" / "data"
    half.mkdir(parents=True)
    (half / "1.lance").write_bytes(b"half")
    with open_store(LANCE, folder) as store:
        published = store.publish(listings())
    assert {file.name for file in folder.iterdir()} == {f"{published}.lance", "published.json"}


def test_what_lancedb_cannot_take_is_told_and_the_old_answers(folder: Path) -> None:
    one = listings("b")
    month = pa.MonthDayNano([1, 0, 0])
    with open_store(LANCE, folder) as store:
        store.publish(listings("a"))
        table = one.table.append_column("every", pa.array([month] * len(one.table)))
        with pytest.raises(StoreError, match="listings cannot be published: "):
            store.publish(Collection(one.name, table, one.vectors, one.text, one.k1, one.b))
        assert everything(store) == ids("a")


def test_a_folder_that_is_none_is_told(folder: Path) -> None:
    folder.write_text("a file")
    with pytest.raises(StoreError, match=r"published_index: cannot be opened: .*File exists"):
        open_store(LANCE, folder)


def test_a_table_of_the_earlier_layout_makes_way(folder: Path) -> None:
    lancedb.connect(str(folder)).create_table("listings", listings("a").table)
    lancedb.connect(str(folder)).create_table("notes", listings("a").table)
    with open_store(LANCE, folder) as store:
        published = store.publish(listings("b"))
        assert everything(store) == ids("b")
    assert set(lancedb.connect(str(folder)).list_tables().tables) == {published, "notes"}
