"""Both stores at the edges: nothing in them, nothing to compare, very long questions, other scripts than Latin."""

import numpy as np
import pyarrow as pa
import pytest

from heddle.stores.store import Collection, Store, StoreQuery
from tests.support.stored import arrow

TEXTS = ["glue the old chair", "შეღებე სკამი", "Подклейте корешок книги", "обивка стула", ""]
ALONG = np.array([1, 0], np.float32)


def guides(texts: list[str] = TEXTS, vectors: np.ndarray | None = None) -> Collection:
    """A collection of texts whose ids are their places."""
    if vectors is None:
        vectors = np.tile(ALONG, (len(texts), 1))
    column = arrow(vectors) if texts else pa.array([], pa.list_(pa.float32(), 2))
    ids = pa.array([str(place) for place in range(len(texts))], pa.string())
    table = pa.table({"id": ids, "text": pa.array(texts, pa.string()), "embedding": column})
    return Collection("guides", table, ("embedding",), "text", k1=1.5, b=0.75)


def found(store: Store, **asked) -> list[str]:
    return [hit.id for hit in store.search("guides", StoreQuery(**asked))]


def test_a_collection_without_rows_answers_with_nothing(store: Store) -> None:
    store.publish(guides())
    store.publish(guides([]))
    assert store.count("guides") == 0
    assert found(store, text="chair") == []
    assert found(store, vector=ALONG, against="embedding") == []
    assert found(store, text="chair", vector=ALONG, against="embedding") == []


def test_where_no_row_has_a_vector_words_find_all_the_same(store: Store) -> None:
    store.publish(guides(vectors=np.zeros((len(TEXTS), 1), np.float32)))
    assert store.count("guides") == len(TEXTS)
    assert found(store, text="chair") == ["0"]


@pytest.mark.parametrize("fusion", ["ranks", "scores"])
def test_a_question_of_ten_thousand_words_is_answered(store: Store, fusion: str) -> None:
    store.publish(guides())
    words = " ".join(["chair", *(f"word{number}" for number in range(9_998)), "glue"])
    assert found(store, text=words) == ["0"]
    both = found(store, text=words, vector=ALONG, against="embedding", fusion=fusion)
    assert both[0] == "0"
    assert len(set(both)) == len(TEXTS)


@pytest.mark.parametrize(("text", "ids"), [("სკამი", ["1"]), ("книги", ["2"]), ("椅子", []), ("zeppelin", [])])
def test_words_in_other_scripts_are_found(store: Store, text: str, ids: list[str]) -> None:
    store.publish(guides())
    assert found(store, text=text) == ids
