from collections.abc import Iterator
from pathlib import Path

import pytest

from heddle.stores import open_store
from heddle.stores.parameters import LanceDb, Weaviate
from heddle.stores.store import Store
from tests.support.weaviate_server import WeaviateServer

KEY = "sesame-7d1f0c"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WeaviateServer]:
    """A Weaviate that asks for the key in the environment variable WEAVIATE_KEY."""
    monkeypatch.setenv("WEAVIATE_KEY", KEY)
    with WeaviateServer(api_key=KEY) as server:
        yield server


@pytest.fixture
def weaviate(server: WeaviateServer) -> Weaviate:
    """Settings that fit the server."""
    return Weaviate(
        kind="weaviate",
        host="127.0.0.1",
        port=server.port,
        grpc_port=server.grpc_port,
        api_key_env="WEAVIATE_KEY",
        batch_size=16,
        connect_timeout=2,
    )


@pytest.fixture(params=["lancedb", "weaviate"])
def settings(request: pytest.FixtureRequest) -> LanceDb | Weaviate:
    """Of each store in turn."""
    return LanceDb(kind="lancedb") if request.param == "lancedb" else request.getfixturevalue("weaviate")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of an embedded store."""
    return tmp_path / "published_index"


@pytest.fixture
def store(settings: LanceDb | Weaviate, folder: Path) -> Iterator[Store]:
    """Each store in turn, empty."""
    with open_store(settings, folder) as opened:
        yield opened
