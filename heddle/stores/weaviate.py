"""Weaviate: one remote collection for each version of a collection, and an alias for the published version.

A publish creates and fills a new remote collection, waits until its vectors are indexed, counts its objects, and then
switches the alias atomically; the old collection is deleted at once. Any client can query the alias. This client
resolves the alias first, so it can detect a collection that was deleted meanwhile and retry. UUIDs of objects are
derived from their ids. Vectors are provided by the client and named as their columns.

Keyword search is Weaviate's BM25 with the collection's k1 and b, with English stop words, without stemming.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import grpc
import pyarrow as pa
from weaviate import WeaviateClient
from weaviate.classes.config import Configure, ConsistencyLevel, DataType, StopwordsPreset, VectorDistances
from weaviate.classes.init import AdditionalConfig, Auth, Timeout
from weaviate.classes.query import HybridFusion, MetadataQuery
from weaviate.collections import Collection as Remote
from weaviate.collections.classes.config import CollectionConfigSimple
from weaviate.collections.classes.internal import Object
from weaviate.connect import ConnectionParams
from weaviate.exceptions import UnexpectedStatusCodeError, WeaviateInsertManyAllFailedError, WeaviateQueryError

from heddle.stores.parameters import Weaviate
from heddle.stores.store import (
    ID,
    Collection,
    Store,
    StoreError,
    StoreHit,
    StoreQuery,
    check_columns,
    content_of,
    new_version,
    unpublished,
    versions,
)
from heddle.stores.weaviate_errors import CLIENT_ERRORS, address, api_key, redact, translate_errors
from heddle.stores.weaviate_terms import column_of, filters, objects, properties, property_of, value_of

MAX_IDS = 10
"""Most ids in an error message."""
POLL_INTERVAL = 0.25
"""Seconds between two checks of the indexing."""
FUSIONS = {"ranks": HybridFusion.RANKED, "scores": HybridFusion.RELATIVE_SCORE}

Result = TypeVar("Result")


class WeaviateStore(Store):
    """A store on a Weaviate server.

    Args:
        settings: address and time limits.

    Raises:
        StoreError: the server cannot be reached or refuses the API key.
    """

    def __init__(self, settings: Weaviate) -> None:
        self._settings = settings
        self._shapes: dict[str, CollectionConfigSimple] = {}
        # The client logs each failed object with all its vectors; StoreError names the objects instead.
        logging.getLogger("weaviate-client").setLevel(logging.CRITICAL)
        self._client = _client(settings)
        try:
            with translate_errors(settings, "connect"):
                self._client.connect()
                _await_grpc(settings)
        except BaseException:
            self._client.close()
            raise

    def publish(self, collection: Collection) -> str:
        alias = self._alias(collection.name)
        with translate_errors(self._settings, f"publish {collection.name}"):
            published = self._target(alias)
            self._delete_unpublished(alias, published)
            if published is not None and content_of(published) == collection.content:
                return published
            fresh = new_version(alias, collection)
            try:
                self._fill(fresh, collection)
            except BaseException:
                self._discard(fresh)
                raise
            self._switch_alias(
                alias, published, fresh
            )  # after an error the switch may still succeed; the next publish cleans up
            self._delete_unpublished(alias, fresh)
            return fresh

    def count(self, name: str) -> int:
        with translate_errors(self._settings, f"count {name}"):
            return self._read(name, len)

    def search(self, name: str, query: StoreQuery) -> list[StoreHit]:
        with translate_errors(self._settings, f"search {name}"):
            return self._read(name, lambda version: _search(name, version, query, self._shape(version)))

    def close(self) -> None:
        self._client.close()

    def _alias(self, name: str) -> str:
        return self._settings.prefix + "".join(part.capitalize() for part in name.split("_"))

    def _target(self, alias: str) -> str | None:
        found = self._client.alias.get(alias_name=alias)
        return found.collection if found else None

    def _read(self, name: str, read: Callable[[Remote], Result]) -> Result:
        """Read the published version; retry if it was replaced meanwhile."""
        while True:
            version = self._target(self._alias(name))
            if version is None:
                raise unpublished(name)
            try:
                return read(self._client.collections.use(version))
            except (UnexpectedStatusCodeError, WeaviateQueryError):
                if self._target(self._alias(name)) == version:
                    raise

    def _shape(self, version: Remote) -> CollectionConfigSimple:
        """A version's schema, cached."""
        if version.name not in self._shapes:
            self._shapes = {version.name: version.config.get(simple=True)}
        return self._shapes[version.name]

    def _fill(self, name: str, collection: Collection) -> None:
        """Create an indexed remote collection with all rows."""
        made = _create(self._client, name, collection).with_consistency_level(ConsistencyLevel.ALL)
        rows = collection.rows()
        failed: dict[str, str] = {}
        for start in range(0, rows.num_rows, self._settings.batch_size):
            failed |= _insert(made, rows.slice(start, self._settings.batch_size), collection.vectors)
        if failed:
            named = ", ".join(list(failed)[:MAX_IDS]) + (", …" if len(failed) > MAX_IDS else "")
            reasons = redact("; ".join(sorted(set(failed.values()))), self._settings)
            text = f"{collection.name}: the server refused {len(failed)} of {rows.num_rows} rows ({named}): {reasons}. "
            raise self._error(text + "The previous version stays published; fix the rows and publish again")
        self._await_indexing(made)
        if len(made) != rows.num_rows:
            raise self._error(f"{collection.name}: {rows.num_rows} rows were sent, but the server has {len(made)}")

    def _await_indexing(self, made: Remote) -> None:
        """Wait for asynchronous indexing, since searches before its end miss rows."""
        deadline = time.monotonic() + self._settings.indexing_timeout
        while any(shard.vector_queue_size for shard in made.config.get_shards()):
            if time.monotonic() > deadline:
                limit = f"{self._settings.indexing_timeout:g} s"
                raise self._error(f"indexing took longer than {limit}; raise published_index.store.indexing_timeout")
            time.sleep(POLL_INTERVAL)

    def _delete_unpublished(self, alias: str, published: str | None) -> None:
        """Delete the versions that are not published: the previous one, and unfinished ones of killed publishes."""
        for version in versions(alias, self._client.collections.list_all()):
            if version != published:
                self._client.collections.delete(version)

    def _switch_alias(self, alias: str, published: str | None, fresh: str) -> None:
        if published is None:
            self._client.alias.create(alias_name=alias, target_collection=fresh)
        elif not self._client.alias.update(alias_name=alias, new_target_collection=fresh):
            raise self._error(f"the alias {alias} was deleted while its collection was filled; publish again")

    def _discard(self, name: str) -> None:
        """Delete an unfinished version if the server responds; otherwise the next publish deletes it."""
        try:
            self._client.collections.delete(name)
        except CLIENT_ERRORS:
            logging.getLogger(__name__).warning(
                "%s: the next publish deletes the unfinished collection %s", address(self._settings), name
            )

    def _error(self, text: str) -> StoreError:
        return StoreError(f"{address(self._settings)}: {text}")


def _client(settings: Weaviate) -> WeaviateClient:
    key = api_key(settings)
    return WeaviateClient(
        connection_params=ConnectionParams.from_params(
            http_host=settings.host,
            http_port=settings.port,
            http_secure=settings.secure,
            grpc_host=settings.host,
            grpc_port=settings.grpc_port,
            grpc_secure=settings.secure,
        ),
        auth_client_secret=Auth.api_key(key) if key else None,
        additional_config=AdditionalConfig(
            timeout=Timeout(init=settings.connect_timeout, query=settings.query_timeout, insert=settings.write_timeout)
        ),
        skip_init_checks=True,  # the checks ask PyPI for new versions of the client
    )


def _await_grpc(settings: Weaviate) -> None:
    """Check the gRPC port at once; the client retries a wrong port for a minute."""
    target = f"{settings.host}:{settings.grpc_port}"
    if settings.secure:
        channel = grpc.secure_channel(target, grpc.ssl_channel_credentials())
    else:
        channel = grpc.insecure_channel(target)
    with channel:
        grpc.channel_ready_future(channel).result(timeout=settings.connect_timeout)


def _create(client: WeaviateClient, name: str, collection: Collection) -> Remote:
    cosine = Configure.VectorIndex.hnsw(distance_metric=VectorDistances.COSINE)
    return client.collections.create(
        name,
        properties=properties(collection),
        vector_config=[
            Configure.Vectors.self_provided(name=column, vector_index_config=cosine) for column in collection.vectors
        ],
        inverted_index_config=Configure.inverted_index(
            bm25_k1=collection.k1, bm25_b=collection.b, stopwords_preset=StopwordsPreset.EN
        ),
    )


def _insert(made: Remote, rows: pa.Table, vectors: tuple[str, ...]) -> dict[str, str]:
    """Send rows. Returns the ids of refused rows with the server's reasons."""
    ids = rows.column(ID).to_pylist()
    try:
        errors = made.data.insert_many(list(objects(rows, vectors))).errors
    except WeaviateInsertManyAllFailedError as error:
        return dict.fromkeys(ids, str(error))
    return {ids[index]: error.message for index, error in errors.items()}


def _search(name: str, version: Remote, query: StoreQuery, shape: CollectionConfigSimple) -> list[StoreHit]:
    kinds = {column_of(each.name): each.data_type for each in shape.properties}
    check_columns(name, query, list(kinds), list(shape.vector_config or {}))
    common: dict[str, Any] = {
        "limit": query.limit,
        "filters": filters(query.where, kinds),
        "return_metadata": MetadataQuery(score=True, distance=True),
        "return_properties": [property_of(column) for column in (ID, *query.columns)],
    }
    vector = None if query.vector is None else [float(number) for number in query.vector]
    if vector is None:
        found = version.query.bm25(query=query.text, **common)
    elif query.text is None:
        found = version.query.near_vector(near_vector=vector, target_vector=query.against, **common)
    else:
        common |= {"alpha": query.alpha, "fusion_type": FUSIONS[query.fusion], "target_vector": query.against}
        found = version.query.hybrid(query=query.text, vector=vector, **common)
    return [_hit(one, query, kinds) for one in found.objects]


def _hit(found: Object[Any, Any], query: StoreQuery, kinds: Mapping[str, DataType]) -> StoreHit:
    distance, score = found.metadata.distance, found.metadata.score or 0.0
    if query.text is None and distance is not None:
        score = 1 - distance
    row = {column: value_of(found.properties.get(property_of(column)), kinds[column]) for column in query.columns}
    return StoreHit(found.properties[property_of(ID)], score, row)
