"""What is Weaviate's own: what is sent, and what goes wrong on the way."""

import socket
import threading
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest

from heddle.stores import open_store
from heddle.stores.parameters import Weaviate
from heddle.stores.store import Collection, StoreError, StoreQuery
from heddle.stores.weaviate import WeaviateStore
from tests.support.stored import everything, guides, ids, listings, vectors
from tests.support.weaviate_server import WeaviateServer

LOOK = vectors(1, 8, 0)[0]
NOWHERE = Path("nowhere")  # a server needs no folder


@pytest.fixture
def store(weaviate: Weaviate):
    with WeaviateStore(weaviate) as opened:
        yield opened


def _changed(settings: Weaviate, **values: object) -> Weaviate:
    return Weaviate(**(settings.model_dump() | values))


def test_the_schema_follows_from_the_columns(store: WeaviateStore, server: WeaviateServer) -> None:
    config = server.database.classes[store.publish(listings())].config
    kinds = {each["name"]: each["dataType"] for each in config["properties"]}
    assert kinds == {
        "identifier": ["text"],
        "search_text": ["text"],
        "wood": ["text"],
        "price": ["number"],
        "stock": ["int"],
        "sold": ["boolean"],
        "tags": ["text[]"],
        "thumbnail": ["blob"],
    }
    assert config["invertedIndexConfig"]["bm25"] == {"k1": 1.5, "b": 0.75}
    assert {name: each["vectorizer"] for name, each in config["vectorConfig"].items()} == {
        "image_embedding": {"none": {}},
        "text_embedding": {"none": {}},
    }
    assert {each["vectorIndexConfig"]["distance"] for each in config["vectorConfig"].values()} == {"cosine"}
    assert [each["name"] for each in config["properties"] if each["indexSearchable"]] == ["search_text"]


def test_an_id_has_the_same_uuid_in_every_version(store: WeaviateStore, server: WeaviateServer) -> None:
    def uuids(collection: Collection) -> dict[str, str]:
        held = server.database.classes[store.publish(collection)].objects
        return {each.properties["identifier"]: uuid for uuid, each in held.items()}

    one = listings()
    first, then = uuids(one), uuids(Collection(one.name, one.table[10:], one.vectors, one.text, 2.0, 0.5))
    assert then == {id_: uuid for id_, uuid in first.items() if id_ in then}
    assert len(set(first.values())) == 40


@pytest.mark.parametrize("version", ["1.32.0", "1.36.6", "1.37.5"])  # each of these, the client speaks differently
def test_newer_servers_are_spoken_with_too(server: WeaviateServer, weaviate: Weaviate, version: str) -> None:
    server.version = version
    query = StoreQuery(text="chair", vector=LOOK, against="image_embedding", alpha=0.0, limit=100)
    with open_store(weaviate, NOWHERE) as store:
        store.publish(listings())
        assert {hit.id for hit in store.search("listings", query)} == {f"a:{number:03}" for number in range(1, 40, 2)}


def test_a_server_without_aliases_is_too_old(server: WeaviateServer, weaviate: Weaviate) -> None:
    server.version = "1.31.9"
    with open_store(weaviate, NOWHERE) as store, pytest.raises(StoreError, match=r"at least version 1\.32\.0"):
        store.publish(listings())
    assert not server.database.classes


def test_what_others_keep_in_the_server_stays(store: WeaviateStore, server: WeaviateServer) -> None:
    foreign = ["HeddleListings_backup", "HeddleListings_0123456789abcdef_01234567x", "ShopListings_0_0", "Notes"]
    for name in foreign:
        server.database.create({"class": name, "vectorizer": "none"})
    published = [store.publish(listings(version)) for version in "ab"]
    assert set(server.database.classes) == {*foreign, published[-1]}


def test_an_index_is_shown_only_when_its_vectors_are_indexed(
    store: WeaviateStore, server: WeaviateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heddle.stores.weaviate.POLL_INTERVAL", 0.01)
    store.publish(listings("a"))
    server.queues = [40, 20, 5]
    left: list[int] = []
    server.before["point alias"] = lambda: left.append(len(server.queues))
    store.publish(listings("b"))
    assert left == [0]


def test_indexing_that_takes_too_long_is_given_up(server: WeaviateServer, weaviate: Weaviate) -> None:
    with open_store(_changed(weaviate, indexing_timeout=0.01), NOWHERE) as store:
        store.publish(listings("a"))
        server.queues = [9] * 100
        with pytest.raises(StoreError, match=r"indexing took longer than 0\.01 s; raise published_index.store"):
            store.publish(listings("b"))
        assert everything(store) == ids("a")
    assert len(server.database.classes) == 1


@pytest.mark.parametrize("refused", [["b:000"], ["b:003", "b:020"], [f"b:{n:03}" for n in range(55)]])
def test_rows_that_are_not_taken_fail_the_publish_and_are_named(
    store: WeaviateStore, server: WeaviateServer, refused: list[str]
) -> None:
    store.publish(listings("a"))
    server.refuse = lambda properties: "too heavy" if properties["identifier"] in refused else None
    with pytest.raises(StoreError, match=f"listings: the server refused {len(refused)} of 55 rows") as caught:
        store.publish(listings("b"))
    assert all(id_ in str(caught.value) for id_ in refused[:10])
    assert "too heavy" in str(caught.value)
    assert everything(store) == ids("a")
    assert len(server.database.classes) == 1
    server.refuse = lambda properties: None
    store.publish(listings("b"))
    assert everything(store) == ids("b")


def test_server_death_during_publish_keeps_published(
    store: WeaviateStore, server: WeaviateServer, weaviate: Weaviate, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.publish(listings("a"))
    batches = iter([lambda: None, server.stop])
    server.before["batch"] = lambda: next(batches)()
    message = rf"127\.0\.0\.1:{server.port}: cannot publish listings: .*start the server"
    with monkeypatch.context() as patch:
        patch.setattr("weaviate.retry.time", SimpleNamespace(sleep=lambda seconds: None))
        with pytest.raises(StoreError, match=message):
            store.publish(listings("b"))
    assert len(server.database.classes) == 2, "it could not be asked to delete what it had"

    server.before.clear()
    server.start()
    with open_store(weaviate, NOWHERE) as again:
        assert everything(again) == ids("a")
        published = again.publish(listings("b"))
        assert everything(again) == ids("b")
    assert list(server.database.classes) == [published]


def test_a_collection_that_goes_under_a_search_is_followed(
    store: WeaviateStore, server: WeaviateServer, weaviate: Weaviate
) -> None:
    store.publish(listings("a"))

    def publish_another() -> None:
        server.before.clear()
        with open_store(weaviate, NOWHERE) as other:
            other.publish(listings("b"))

    server.before["search"] = publish_another
    assert everything(store) == ids("b")
    store.publish(listings("a"))
    server.before["aggregate"] = publish_another
    assert store.count("listings") == len(ids("b"))


def test_late_alias_update_points_to_complete_collection(server: WeaviateServer, weaviate: Weaviate) -> None:
    released, pointed = threading.Event(), threading.Event()
    with open_store(_changed(weaviate, write_timeout=0.3), NOWHERE) as store:
        store.publish(listings("a"))
        server.before["point alias"] = lambda: released.wait(20) and pointed.set()
        with pytest.raises(StoreError, match="time limit exceeded"):
            store.publish(listings("b"))
        assert everything(store) == ids("a")
        released.set()
        pointed.wait(20)
        seen = iter(lambda: everything(store), ids("b"))  # until that is what is seen
        assert all(answer == ids("a") for answer in islice(seen, 1000))
        assert everything(store) == ids("b")
        server.before.clear()
        published = store.publish(listings("c"))
        assert everything(store) == ids("c")
    assert list(server.database.classes) == [published]


def test_taken_alias_name_raises_and_leaves_one_attempt(store: WeaviateStore, server: WeaviateServer) -> None:
    server.database.create({"class": "HeddleListings", "vectorizer": "none"})
    for _ in range(3):
        with pytest.raises(StoreError, match="a class of that name already exists"):
            store.publish(listings())
    assert len(server.database.classes) == 2


def test_a_column_that_weaviate_has_no_place_for_is_told(store: WeaviateStore) -> None:
    one = guides()
    for column, values, message in (
        ("identifier", ["x", "y", "z"], "the column name `identifier` is reserved for ids; rename the column"),
        ("when", [{"day": 1}] * 3, "column when: Weaviate has no type for struct<day: int64>"),
    ):
        table = one.table.append_column(column, [values])
        with pytest.raises(StoreError, match=message):
            store.publish(Collection("guides", table, one.vectors, one.text, one.k1, one.b))


def test_answers_that_do_not_come_are_waited_for_only_so_long(server: WeaviateServer, weaviate: Weaviate) -> None:
    released = threading.Event()
    with open_store(_changed(weaviate, query_timeout=0.2, write_timeout=0.3), NOWHERE) as store:
        store.publish(listings("a"))
        for operation, attempt in (
            ("search", lambda: everything(store)),
            ("batch", lambda: store.publish(listings("b"))),
            ("create collection", lambda: store.publish(listings("b"))),
        ):
            server.before[operation] = lambda: released.wait(20) and None
            with pytest.raises(StoreError, match=r"time limit exceeded; .*query_timeout \(0\.2 s\) or write_timeout"):
                attempt()
            server.before.clear()
        released.set()
        assert everything(store) == ids("a")


def test_a_server_that_is_not_there_is_told_with_the_remedy(server: WeaviateServer, weaviate: Weaviate) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        closed = silent.getsockname()[1]
    for wrong in ({"port": closed}, {"grpc_port": closed, "connect_timeout": 0.3}):
        settings = _changed(weaviate, **wrong)
        with pytest.raises(StoreError) as caught:
            open_store(settings, NOWHERE)
        assert f"http://127.0.0.1:{settings.port}: cannot connect: no server responds there" in str(caught.value)
        assert f"gRPC port {settings.grpc_port}; start the server, or fix published_index.store.host" in str(
            caught.value
        )
