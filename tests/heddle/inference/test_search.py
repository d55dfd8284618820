"""Search: hits equal plain arithmetic, errors name the problem."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from assets.index.stage import index, index_schema
from heddle.core.schemas import read_rows, write_table
from heddle.core.skipped import write_skipped
from heddle.core.vectors import matrix
from heddle.images.originals import find_originals
from heddle.inference.search import ListingIndex, SearchError, search_guides, search_listings
from heddle.retrieval.config import RetrievalConfig
from heddle.retrieval.guide_index import write_empty_guide_index
from heddle.retrieval.lexical.bm25 import BM25Index
from lightning_modules.clip.encoder import ClipEncoder
from tests.support.small_project import run, write_project

QUERY = "a chair of oak"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("search") / "project")
    run(index, folder)
    return folder / "data"


@pytest.fixture(scope="module")
def image(data: Path) -> Path:
    """The original image of the listing shop:007."""
    row = next(row for row in read_rows(data / "validated" / "listings.parquet") if row["id"] == "shop:007")
    path = data / "query.jpg"
    path.write_bytes(find_originals(data / "catalog")[row["image"]].read())
    return path


def test_search_text_finds_largest_dot_products(data: Path) -> None:
    table = pq.read_table(data / "index" / "listings.parquet")
    query = ClipEncoder.from_pretrained(data / "clip", threads=1).texts([QUERY])[0]
    scores = {
        id_: float(vector @ query)
        for id_, vector in zip(table["id"].to_pylist(), matrix(table, "image_embedding"), strict=True)
    }
    hits = search_listings(text=QUERY, top_k=7, data=data)
    assert [hit.id for hit in hits] == sorted(scores, key=lambda id_: -scores[id_])[:7]
    assert [hit.score for hit in hits] == pytest.approx([scores[hit.id] for hit in hits], abs=1e-5)


def test_search_hit_contains_the_listing(data: Path) -> None:
    rows = {row["id"]: row for row in read_rows(data / "validated" / "listings.parquet")}
    for hit in search_listings(text=QUERY, top_k=24, data=data):
        row = rows[hit.id]
        assert (hit.title, hit.url) == (row["title"] or "", row["url"])
        assert (hit.item, hit.material, hit.price) == (row["item"], row["material"], row["price"])


def test_search_image_finds_itself_first(data: Path, image: Path) -> None:
    hits = search_listings(image=image, top_k=3, data=data)
    assert hits[0].id == "shop:007"
    assert hits[0].score == pytest.approx(1, abs=1e-4)
    assert hits[0].score > hits[1].score >= hits[2].score


def test_search_bm25_finds_only_listings_with_shared_words(data: Path) -> None:
    rows = read_rows(data / "index" / "listings.parquet")
    scores = BM25Index.load(data / "index" / "bm25").scores("glass jars")
    hits = search_listings(text="glass jars", top_k=24, mode="bm25", data=data)
    assert [hit.score for hit in hits] == sorted(scores[scores > 0], reverse=True)
    assert {hit.id for hit in hits} == {rows[number]["id"] for number in np.flatnonzero(scores)}
    assert search_listings(text="zeppelin", mode="bm25", data=data) == []


def test_listing_index_answers_many_queries(data: Path, image: Path) -> None:
    listings = ListingIndex(data)
    assert len(listings) == 24
    assert listings.by_text(QUERY, 5) == search_listings(text=QUERY, top_k=5, data=data)
    assert listings.by_image(image, 5) == search_listings(image=image, top_k=5, data=data)
    assert len(listings.by_text(QUERY, 1000)) == 24


@pytest.mark.parametrize("text", ["", "   \n"])
def test_search_empty_query_is_refused(data: Path, text: str) -> None:
    with pytest.raises(SearchError, match="the query is empty"):
        search_listings(text=text, data=data)


def test_search_invalid_input_is_refused(data: Path, image: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(image.read_bytes()[:200])
    with pytest.raises(SearchError, match=r"broken\.jpg: not an image that can be read"):
        search_listings(image=broken, data=data)
    with pytest.raises(SearchError, match=r"absent\.jpg: no such file"):
        search_listings(image=tmp_path / "absent.jpg", data=data)
    with pytest.raises(SearchError, match="exactly one of them is needed"):
        search_listings(data=data)
    with pytest.raises(SearchError, match="exactly one of them is needed"):
        search_listings(text=QUERY, image=image, data=data)
    with pytest.raises(SearchError, match="an image has no keywords"):
        search_listings(image=image, mode="bm25", data=data)
    with pytest.raises(SearchError, match="must be at least 1, found 0"):
        search_listings(text=QUERY, top_k=0, data=data)


def test_search_missing_files_are_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(SearchError, match=r"listings\.parquet is missing: run `heddle run`"):
        search_listings(text=QUERY, data=tmp_path)
    shutil.copytree(data / "index", tmp_path / "index")
    with pytest.raises(SearchError, match=r"clip lacks config\.json, model\.safetensors, tokenizer\.json"):
        search_listings(text=QUERY, data=tmp_path)
    assert search_listings(text=QUERY, mode="bm25", data=tmp_path)  # needs no model
    (tmp_path / "index" / "bm25" / "vocab.index.json").unlink()
    with pytest.raises(SearchError, match="is incomplete"):
        search_listings(text=QUERY, mode="bm25", data=tmp_path)


def test_search_without_dual_encoder_names_reason_and_bm25(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data / "index", tmp_path / "index")
    (tmp_path / "clip").mkdir()
    write_skipped(tmp_path / "clip", "No words; write some.")
    with pytest.raises(SearchError, match=r"there is no dual encoder \(No words; write some\.\): .* `--mode bm25`"):
        search_listings(text=QUERY, data=tmp_path)
    assert search_listings(text=QUERY, mode="bm25", data=tmp_path)


def test_search_index_without_listings_or_guides(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data.parent, tmp_path / "project", ignore=shutil.ignore_patterns("data"))
    empty = tmp_path / "project/data"
    (empty / "index").mkdir(parents=True)
    write_table(empty / "index/listings.parquet", [], index_schema(8))
    write_empty_guide_index(empty / "index")
    with pytest.raises(
        SearchError, match="contains no listings: add a source of listings to `catalog`, or search the guides"
    ):
        search_listings(text=QUERY, data=empty)
    assert search_guides(QUERY, RetrievalConfig(), data=empty).hits == []
