"""What every store keeps to, whichever it is."""

import dataclasses
import operator

import numpy as np
import pyarrow as pa
import pytest

from heddle.core.vectors import matrix
from heddle.stores import open_store
from heddle.stores.store import Collection, Condition, Store, StoreError, StoreQuery
from tests.support.stored import WOODS, everything, guides, ids, listings, vectors

LOOK = vectors(1, 8, 0)[0]
OPERATORS = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@pytest.fixture
def published(store: Store) -> Store:
    store.publish(listings())
    return store


def test_every_row_is_there_as_it_was(published: Store) -> None:
    rows = {row["id"]: row for row in listings().table.to_pylist()}
    columns = ("wood", "price", "stock", "sold", "tags", "thumbnail", "id")
    hits = published.search("listings", StoreQuery(vector=LOOK, against="image_embedding", limit=100, columns=columns))
    assert published.count("listings") == len(rows) == len(hits)
    for hit in hits:
        # Weaviate keeps no empty lists apart from missing ones
        assert {**hit.row, "tags": hit.row["tags"] or []} == {column: rows[hit.id][column] for column in columns}


def test_a_vector_is_ranked_by_cosine(published: Store) -> None:
    scores = matrix(listings().table, "image_embedding") @ LOOK
    hits = published.search("listings", StoreQuery(vector=LOOK, against="image_embedding", limit=7))
    assert [hit.id for hit in hits] == [f"a:{place:03}" for place in np.argsort(-scores)[:7]]
    assert [hit.score for hit in hits] == pytest.approx(sorted(scores, reverse=True)[:7], abs=1e-5)


def test_vector_columns_searched_alone_and_null_rows_skipped(
    published: Store,
) -> None:
    vector = np.array(listings().table.column("text_embedding")[9].as_py(), dtype=np.float32)
    hits = published.search("listings", StoreQuery(vector=vector, against="text_embedding", limit=100))
    assert hits[0].id == "a:009"
    assert {hit.id for hit in hits} == ids("a") - {"a:003", "a:004"}


def test_words_find_the_texts_that_hold_them_the_shortest_first(published: Store) -> None:
    hits = published.search("listings", StoreQuery(text="Chair!", limit=100))
    assert [hit.id for hit in hits] == [f"a:{number:03}" for number in range(1, 40, 2)]
    assert published.search("listings", StoreQuery(text="zeppelin")) == []
    (only,) = published.search("listings", StoreQuery(text="number17"))
    assert only.id == "a:017"


@pytest.mark.parametrize("fusion", ["ranks", "scores"])
@pytest.mark.parametrize("alpha", [0, 0.3, 0.5, 1])
def test_a_fusion_is_the_sum_of_both_rankings(published: Store, fusion: str, alpha: float) -> None:
    by_vector = published.search("listings", StoreQuery(vector=LOOK, against="image_embedding", limit=100))
    by_words = published.search("listings", StoreQuery(text="chair", limit=100))
    expected: dict[str, float] = {}
    for hits, weight in ((by_vector, alpha), (by_words, 1 - alpha)):
        low, high = hits[-1].score, hits[0].score
        for place, hit in enumerate(hits if weight else []):
            share = 1 / (60 + place) if fusion == "ranks" else (hit.score - low) / (high - low)
            expected[hit.id] = expected.get(hit.id, 0) + weight * share
    query = StoreQuery(
        text="chair", vector=LOOK, against="image_embedding", limit=100, fusion=fusion, alpha=alpha, columns=("wood",)
    )
    hits = published.search("listings", query)
    assert {hit.id: hit.score for hit in hits} == pytest.approx(expected, abs=1e-5)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert published.search("listings", dataclasses.replace(query, limit=3)) == hits[:3]


@pytest.mark.parametrize("sign", OPERATORS)
@pytest.mark.parametrize(("column", "bound"), [("price", 7.0), ("price", 7), ("stock", 3)])
def test_numbers_are_bounded(published: Store, sign: str, column: str, bound: float) -> None:
    rows = listings().table.to_pylist()
    wanted = {row["id"] for row in rows if row[column] is not None and OPERATORS[sign](row[column], bound)}
    where = (Condition(column, sign, bound),)
    query = StoreQuery(vector=LOOK, against="image_embedding", limit=100, where=where)
    assert {hit.id for hit in published.search("listings", query)} == wanted


@pytest.mark.parametrize("wood", WOODS)
def test_text_filter_any_characters_matches_exactly(published: Store, wood: str) -> None:
    rows = listings().table.to_pylist()
    query = StoreQuery(vector=LOOK, against="image_embedding", limit=100, where=(Condition("wood", "=", wood),))
    assert {hit.id for hit in published.search("listings", query)} == {r["id"] for r in rows if r["wood"] == wood}


def test_conditions_hold_together_and_before_the_limit(published: Store) -> None:
    where = (Condition("sold", "=", True), Condition("price", ">=", 20), Condition("stock", "=", 1))
    assert {hit.id for hit in published.search("listings", StoreQuery(text="plain", where=where, limit=2))} == {
        "a:021",
        "a:036",
    }
    last = str(listings().table.column("id")[int(np.argmin(matrix(listings().table, "image_embedding") @ LOOK))])
    where = (Condition("id", "=", last),)
    for words in (None, "chair lamp"):
        query = StoreQuery(text=words, vector=LOOK, against="image_embedding", limit=1, where=where)
        assert [hit.id for hit in published.search("listings", query)] == [last]


def test_publishing_the_same_changes_nothing(published: Store) -> None:
    version = published.publish(listings())
    assert published.publish(listings()) == version
    assert everything(published) == ids("a")


def test_publish_replaces_collection_for_open_stores(published: Store, settings, folder) -> None:
    with open_store(settings, folder) as reader:
        for version in ("b", "a", "c"):
            assert everything(reader) != ids(version)
            published.publish(listings(version))
            assert everything(reader) == everything(published) == ids(version)
            assert reader.count("listings") == len(ids(version))


def test_collections_do_not_meet(published: Store) -> None:
    published.publish(guides())
    published.publish(listings("b"))
    assert published.count("guides") == 3
    (hit,) = published.search("guides", StoreQuery(text="wool", columns=("title",)))
    assert (hit.id, hit.row) == ("3", {"title": "what to do with wool"})
    assert everything(published) == ids("b")


def test_the_content_s_name_follows_from_all_that_is_published() -> None:
    one, table = listings(), listings().table
    same = Collection(one.name, pa.concat_tables([table[:7], table[7:]]), one.vectors, one.text, one.k1, one.b)
    assert same.content == one.content
    others = [
        Collection(one.name, table[:-1], one.vectors, one.text, one.k1, one.b),
        Collection(one.name, table, one.vectors[:1], one.text, one.k1, one.b),
        Collection(one.name, table, one.vectors, "wood", one.k1, one.b),
        Collection(one.name, table, one.vectors, one.text, 1.2, one.b),
        Collection(one.name, table, one.vectors, one.text, one.k1, 0.5),
        Collection(one.name, table.set_column(2, "wood", [["oak"] * 40]), one.vectors, one.text, one.k1, one.b),
    ]
    assert len({one.content, *(other.content for other in others)}) == 1 + len(others)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (StoreQuery(text="chair", columns=("colour",)), "listings has no column colour; it has .*wood"),
        (StoreQuery(text="chair", where=(Condition("weight", "<", 1),)), "no column weight"),
        (StoreQuery(text="chair", columns=("text_embedding",)), "no column text_embedding"),
        (
            StoreQuery(vector=LOOK, against="price"),
            "listings has no vector column price; it has image_embedding, text_embedding",
        ),
        (StoreQuery(vector=LOOK, against="text_embedding"), "8"),  # it has 6 dimensions
    ],
)
def test_a_query_that_does_not_fit_is_explained(published: Store, query: StoreQuery, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        published.search("listings", query)


def test_what_is_not_published_is_named(store: Store) -> None:
    for ask in (lambda: store.count("listings"), lambda: store.search("listings", StoreQuery(text="chair"))):
        with pytest.raises(StoreError, match="listings is not published: run `heddle run`"):
            ask()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "the query is empty"),
        ({"text": "  "}, "the query is empty"),
        ({"vector": LOOK}, "vector and against must be passed together"),
        ({"text": "chair", "against": "image_embedding"}, "vector and against must be passed together"),
        ({"text": "chair", "limit": 0}, "must be positive, found 0"),
        ({"text": "chair", "alpha": 1.5}, r"alpha must be in \[0, 1\]"),
    ],
)
def test_a_query_that_means_nothing_is_refused(wrong: dict, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        StoreQuery(**wrong)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Listings 2"}, "invalid name of a collection"),
        ({"text": "body"}, "has no column body"),
        ({"vectors": ("price",)}, "listings: price: vector columns must be fixed-size lists of float32"),
        ({"table": pa.concat_tables([listings().table] * 2)}, "ids must be unique"),
    ],
)
def test_a_collection_that_cannot_be_published_is_refused(change: dict, message: str) -> None:
    one = listings()
    given = {"name": one.name, "table": one.table, "vectors": one.vectors, "text": one.text, "k1": 1.5, "b": 0.75}
    with pytest.raises(StoreError, match=message):
        Collection(**(given | change))
