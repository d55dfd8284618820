"""A publish is seen whole or not at all, whoever reads meanwhile and whenever the publisher dies."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from heddle.stores import open_store
from heddle.stores.parameters import LanceDb, Weaviate
from heddle.stores.store import Store, StoreQuery
from tests.support.stored import everything, ids, listings, publisher, vectors
from tests.support.weaviate_server import WeaviateServer

LOOK = vectors(1, 8, 0)[0]
LANCE = LanceDb(kind="lancedb")
QUERIES = (
    StoreQuery(vector=LOOK, against="image_embedding", limit=100),
    StoreQuery(text="plain", limit=100),
    StoreQuery(text="plain", vector=LOOK, against="image_embedding", limit=100, columns=("wood",)),
)


def _read_on(store: Store, over: threading.Event, seen: list[set[str]], troubles: list[Exception]) -> None:
    """StoreQuery after query until the publishes are over; every answer's ids, and every failure."""
    while not over.is_set() and not troubles:
        for query in QUERIES:
            try:
                seen.append({hit.id for hit in store.search("listings", query)})
            except Exception as error:  # noqa: BLE001
                troubles.append(error)


@pytest.mark.slow
def test_readers_see_one_version_or_the_other_and_never_fail(settings: LanceDb | Weaviate, folder: Path) -> None:
    with open_store(settings, folder) as store:
        store.publish(listings("a"))
    # `plain` stands in every text but the first
    whole = [answer for version in "ab" for answer in (ids(version), ids(version) - {f"{version}:000"})]
    over, seen, troubles = threading.Event(), [], []
    readers = [open_store(settings, folder) for _ in range(2)]
    threads = [threading.Thread(target=_read_on, args=(each, over, seen, troubles)) for each in readers]
    for thread in threads:
        thread.start()
    publishing = publisher(settings, folder, *"babababababa")
    output, _ = publishing.communicate(timeout=600)
    over.set()
    for thread in threads:
        thread.join()
    for reader in readers:
        reader.close()
    assert publishing.returncode == 0, output
    assert troubles == []
    assert [answer for answer in seen if answer not in whole] == []
    assert all(answer in seen for answer in (ids("a"), ids("b"))), "the readers must have met both versions"


@pytest.mark.parametrize(("step", "answers"), [("create_index", "b"), ("rename", "b"), ("drop_table", "c")])
def test_lancedb_answers_though_the_publisher_was_killed(folder: Path, step: str, answers: str) -> None:
    with open_store(LANCE, folder) as store:
        for version in "ab":
            store.publish(listings(version))
        killed = publisher(LANCE, folder, "c", "--die-before", step)
        output, _ = killed.communicate(timeout=600)
        assert killed.returncode == -signal.SIGKILL, output

        assert everything(store) == ids(answers)
        with open_store(LANCE, folder) as another:
            assert everything(another) == ids(answers)
            last = another.publish(listings("c"))
        assert everything(store) == ids("c")
    left = sorted(file.name for file in folder.iterdir())
    assert len(left) == 3, "the published table, the one before, and the file that points to them"
    assert {f"{last}.lance", "published.json"} < set(left)


@pytest.mark.parametrize(
    ("operation", "answers"),
    [("create collection", "a"), ("batch", "a"), ("aggregate", "a"), ("point alias", "b"), ("delete collection", "b")],
)
def test_weaviate_answers_though_the_publisher_was_killed(
    weaviate: Weaviate, server: WeaviateServer, folder: Path, operation: str, answers: str
) -> None:
    with open_store(weaviate, folder) as store:
        store.publish(listings("a"))
        killed = publisher(weaviate, folder, "b")
        server.before[operation] = _on_call(2 if operation == "batch" else 1, lambda: _kill(killed))
        output, _ = killed.communicate(timeout=600)
        assert killed.returncode == -signal.SIGKILL, output
        server.before.clear()

        assert everything(store) == ids(answers)
        last = store.publish(listings("b"))
        assert everything(store) == ids("b")
    assert list(server.database.classes) == [last]
    assert server.database.aliases == {"HeddleListings": last}


def _on_call(number: int, act: Callable[[], None]) -> Callable[[], None]:
    calls = iter(range(1, 1000))
    return lambda: act() if next(calls) == number else None


def _kill(process) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
