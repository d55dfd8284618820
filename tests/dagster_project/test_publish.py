"""The asset published_index: it fills the store that the parameters choose, and fails with words that help."""

import dagster as dg

from dagster_project.publish import collections
from dagster_project.staleness import find_stale_assets
from heddle.stores.lance import LanceStore
from heddle.stores.store import StoreQuery
from tests.support.weaviate_server import WeaviateServer

KEY = "sesame-51a9"


def _choose(toy, store: str) -> None:
    params = (toy.root / "params.yaml").read_text()
    toy.write("params.yaml", params.replace("{store: {kind: lancedb}}", f"{{store: {store}}}"))


def _metadata(toy) -> dict:
    event = toy.instance.get_latest_materialization_event(dg.AssetKey("published_index"))
    return {key: value.value for key, value in event.asset_materialization.metadata.items()}


def test_a_run_publishes_the_index_to_lancedb(toy):
    with LanceStore(toy.root / "data/published_index") as store:
        (hit,) = store.search("listings", StoreQuery(text="chairs"))
        assert (hit.id, store.count("listings")) == ("a", 2)
    told = _metadata(toy)
    assert (told["store"], told["listings"]) == ("lancedb", 2)
    assert told["listings_version"].startswith("listings_")


def test_every_table_of_the_index_is_a_collection_with_all_its_vectors(toy):
    (listings,) = collections(toy.root)
    assert (listings.name, listings.text, listings.vectors) == ("listings", "search_text", ("image_embedding",))
    assert (listings.k1, listings.b) == (1.5, 0.75)
    toy.shell("cp", "data/index/listings.parquet", "data/index/guides.parquet")
    assert [collection.name for collection in collections(toy.root)] == ["listings", "guides"]


def test_another_store_makes_the_asset_stale_and_is_filled(toy, monkeypatch):
    with WeaviateServer(api_key=KEY) as server:
        at = f"host: 127.0.0.1, port: {server.port}, grpc_port: {server.grpc_port}"
        _choose(toy, f"{{kind: weaviate, {at}, api_key_env: TOY_KEY, connect_timeout: 2}}")
        graph = toy.definitions().resolve_asset_graph()
        assert find_stale_assets(toy.project, graph, toy.instance) == {"published_index"}

        failed = toy.materialize("published_index")
        assert not failed.success
        assert "set the environment variable TOY_KEY to the API key" in str(failed.all_events)

        monkeypatch.setenv("TOY_KEY", KEY)
        server.refuse = lambda properties: f"the bearer of {KEY} may not"
        failed = toy.materialize("published_index")
        assert not failed.success
        assert "listings: the server refused 2 of 2 rows (a, b)" in str(failed.all_events)
        assert KEY not in str(failed.all_events)
        assert KEY not in toy.heddle("status").stdout

        server.refuse = lambda properties: None
        assert toy.materialize("published_index").success
        assert list(server.database.aliases) == ["HeddleListings"]
        assert (_metadata(toy)["store"], _metadata(toy)["listings"]) == ("weaviate", 2)
    assert find_stale_assets(toy.project, graph, toy.instance) == set()
