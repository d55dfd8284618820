"""The key of a Weaviate server: errors name the fix if it is missing, wrong or too weak; no output contains it."""

import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from heddle.stores import open_store
from heddle.stores.parameters import Weaviate
from heddle.stores.store import StoreError
from heddle.stores.weaviate import WeaviateStore
from tests.support.stored import everything, listings
from tests.support.weaviate_server import WeaviateServer
from tests.support.weaviate_server.database import RefusedError

NOWHERE = Path("nowhere")  # a server needs no folder


def test_a_key_that_is_missing_or_wrong_is_told_with_the_remedy(
    server: WeaviateServer, weaviate: Weaviate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreError, match=r"requires an API key; set published_index\.store\.api_key"):
        open_store(weaviate.model_copy(update={"api_key_env": None}), NOWHERE)
    monkeypatch.setenv("WEAVIATE_KEY", "wrong")
    with pytest.raises(StoreError, match="refuses the API key; set the environment variable WEAVIATE_KEY to a valid"):
        open_store(weaviate, NOWHERE)
    monkeypatch.delenv("WEAVIATE_KEY")
    with pytest.raises(StoreError, match="set the environment variable WEAVIATE_KEY to the API key"):
        open_store(weaviate, NOWHERE)


def test_a_key_that_may_not_write_is_told_with_the_remedy(server: WeaviateServer, weaviate: Weaviate) -> None:
    def forbid() -> None:
        raise RefusedError("forbidden: action create_collections", 403)

    server.before["create collection"] = forbid
    with (
        WeaviateStore(weaviate) as store,
        pytest.raises(StoreError, match="the API key lacks the permission; give it a role"),
    ):
        store.publish(listings())


def test_the_key_shows_nowhere(
    server: WeaviateServer,
    weaviate: Weaviate,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    key, texts = server.api_key, [repr(weaviate), weaviate.model_dump_json()]

    def fails(attempt: Callable[[], object]) -> None:
        with pytest.raises(StoreError) as caught:
            attempt()
        texts.append("".join(traceback.format_exception(caught.value)))

    with open_store(weaviate, NOWHERE) as store:
        store.publish(listings("a"))
        server.refuse = lambda properties: f"{properties['identifier']} came with {key}"
        fails(lambda: store.publish(listings("b")))
        server.refuse = lambda properties: "x" * 495 + key  # what is cut off must not cut the key
        fails(lambda: store.publish(listings("b")))
        server.before["search"] = _refusing(f"Bearer {key} is of no use")
        fails(lambda: everything(store))
        server.before["create collection"] = _refusing(f"Bearer {key} is of no use")
        fails(lambda: store.publish(listings("b")))
        texts.append(str([each.config for each in server.database.classes.values()]))
    server.api_key = "another"  # the refusal repeats the key that was sent
    fails(lambda: open_store(weaviate, NOWHERE))
    server.stop()
    fails(lambda: open_store(weaviate, NOWHERE))
    server.start()
    printed = capfd.readouterr()
    everywhere = "\n".join([*texts, caplog.text, printed.out, printed.err])
    assert "refuses the API key" in everywhere
    assert "came with ***" in everywhere
    assert key[:5] not in everywhere


def _refusing(message: str) -> Callable[[], None]:
    def refuse() -> None:
        raise RefusedError(message)

    return refuse
