"""The gRPC interface."""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
from google.protobuf.struct_pb2 import NULL_VALUE
from weaviate.proto.v1 import (
    aggregate_pb2,
    base_search_pb2,
    batch_pb2,
    properties_pb2,
    search_get_pb2,
    weaviate_pb2_grpc,
)

from tests.support.weaviate_server.database import Class, RefusedError, Stored
from tests.support.weaviate_server.ranking import Ranking, accepted, by_vector, by_words, ranked, relative

if TYPE_CHECKING:
    from tests.support.weaviate_server.server import WeaviateServer

CANDIDATES = 100  # of each half of a hybrid search, at least


class Service(weaviate_pb2_grpc.WeaviateServicer):
    """Answers to batches, searches and counts."""

    def __init__(self, owner: "WeaviateServer") -> None:
        self._owner = owner

    def BatchObjects(  # noqa: N802
        self, request: batch_pb2.BatchObjectsRequest, context: grpc.ServicerContext
    ) -> batch_pb2.BatchObjectsReply:
        self._admit(context)
        self._owner.happens("batch")
        reply = batch_pb2.BatchObjectsReply(took=0.001)
        for place, sent in enumerate(request.objects):
            try:
                self._put(sent)
            except (RefusedError, ValueError) as error:
                reply.errors.add(index=place, error=str(error))
        return reply

    def Search(  # noqa: N802
        self, request: search_get_pb2.SearchRequest, context: grpc.ServicerContext
    ) -> search_get_pb2.SearchReply:
        def found() -> search_get_pb2.SearchReply:
            name = self._owner.database.resolve(request.collection)
            self._owner.happens("search")  # between the two, the collection may go
            with self._owner.database.lock:
                held = self._owner.database.find(name)
                reply = search_get_pb2.SearchReply(took=0.001)
                for each, metadata in _ranked(held, request):
                    reply.results.append(_result(held, each, metadata, request))
                return reply

        return self._answered(context, found)

    def Aggregate(  # noqa: N802
        self, request: aggregate_pb2.AggregateRequest, context: grpc.ServicerContext
    ) -> aggregate_pb2.AggregateReply:
        def counted() -> aggregate_pb2.AggregateReply:
            self._owner.happens("aggregate")
            with self._owner.database.lock:
                held = self._owner.database.find(self._owner.database.resolve(request.collection))
                count = len(accepted(held, request.filters if request.HasField("filters") else None))
            return aggregate_pb2.AggregateReply(single_result=aggregate_pb2.AggregateReply.Single(objects_count=count))

        return self._answered(context, counted)

    def _admit(self, context: grpc.ServicerContext) -> None:
        key = self._owner.api_key
        if key and dict(context.invocation_metadata()).get("authorization") != f"Bearer {key}":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "unauthorized: invalid api key")

    def _answered(self, context: grpc.ServicerContext, answer: Callable[[], Any]) -> Any:
        self._admit(context)
        try:
            return answer()
        except RefusedError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    def _put(self, sent: batch_pb2.BatchObject) -> None:
        properties = dict(sent.properties.non_ref_properties.items())
        properties |= {each.prop_name: list(each.values) for each in sent.properties.text_array_properties}
        properties |= {name: [] for name in sent.properties.empty_list_props}
        reason = self._owner.refuse(properties)
        if reason:
            raise RefusedError(reason)
        vectors = {each.name: np.frombuffer(each.vector_bytes, dtype="<f4") for each in sent.vectors}
        with self._owner.database.lock:
            name = self._owner.database.resolve(sent.collection)
            self._owner.database.find(name).put(str(uuid.UUID(sent.uuid)), Stored(properties, vectors))


def _ranked(held: Class, request: search_get_pb2.SearchRequest) -> list[tuple[str, search_get_pb2.MetadataResult]]:
    """UUID and metadata of each hit, best first."""
    objects = accepted(held, request.filters if request.HasField("filters") else None)
    limit = request.limit or 10
    asked = request.metadata
    if request.HasField("near_vector"):
        target, query = _target(held, request.near_vector.targets), _vector(request.near_vector)
        return [
            (each, _metadata(each, distance=1 - score if asked.distance else None))
            for each, score in by_vector(objects, target, query, limit).items()
        ]
    if request.HasField("bm25_search"):
        best = by_words(held, objects, request.bm25_search.query, limit)
    elif request.HasField("hybrid_search"):
        best = _hybrid(held, objects, request.hybrid_search, limit)
    else:
        best = dict.fromkeys(sorted(objects)[:limit], 0.0)
    return [(each, _metadata(each, score=score if asked.score else None)) for each, score in best.items()]


def _hybrid(held: Class, objects: dict[str, Stored], asked: base_search_pb2.Hybrid, limit: int) -> Ranking:
    alpha = asked.alpha_param if asked.use_alpha_param else asked.alpha
    depth = max(limit, CANDIDATES)
    rankings = []
    if alpha < 1:
        rankings.append((by_words(held, objects, asked.query, depth), 1 - alpha))
    if alpha > 0:
        target = _target(held, asked.targets)
        rankings.append((by_vector(objects, target, _vector(asked), depth), alpha))
    fuse = ranked if asked.fusion_type == base_search_pb2.Hybrid.FUSION_TYPE_RANKED else relative
    return dict(list(fuse(rankings).items())[:limit])


def _target(held: Class, targets: base_search_pb2.Targets) -> str:
    names = list(targets.target_vectors) or list(held.config["vectorConfig"])
    if len(names) != 1:
        raise RefusedError("class has multiple vectors, but no target vectors were provided")
    if names[0] not in held.config["vectorConfig"]:
        raise RefusedError(f"class does not have named vector {names[0]} configured")
    return names[0]


def _vector(asked: Any) -> np.ndarray:
    """Of a near-vector or hybrid search, wherever the client's version puts it."""
    if asked.vector_bytes:
        return np.frombuffer(asked.vector_bytes, dtype="<f4")
    if isinstance(asked, base_search_pb2.Hybrid) and asked.HasField("near_vector"):
        return _vector(asked.near_vector)
    vectors = asked.vectors or asked.vector_for_targets[0].vectors
    return np.frombuffer(vectors[0].vector_bytes, dtype="<f4")


def _metadata(each: str, distance: float | None = None, score: float | None = None) -> search_get_pb2.MetadataResult:
    return search_get_pb2.MetadataResult(
        id=each,
        id_as_bytes=uuid.UUID(each).bytes,
        distance=distance or 0,
        distance_present=distance is not None,
        score=score or 0,
        score_present=score is not None,
    )


def _result(
    held: Class, each: str, metadata: search_get_pb2.MetadataResult, request: search_get_pb2.SearchRequest
) -> search_get_pb2.SearchResult:
    everything = not request.HasField("properties") or request.properties.return_all_nonref_properties
    names = held.properties if everything else request.properties.non_ref_properties
    fields = {}
    for name in names:
        if name not in held.properties:
            raise RefusedError(f"no such prop with name '{name}' found in class '{held.config['class']}' in the schema")
        fields[name] = _value(held.properties[name]["dataType"][0], held.objects[each].properties.get(name))
    found = search_get_pb2.PropertiesResult(
        non_ref_props=properties_pb2.Properties(fields=fields), target_collection=held.config["class"]
    )
    return search_get_pb2.SearchResult(properties=found, metadata=metadata)


def _value(kind: str, value: Any) -> properties_pb2.Value:
    if value is None:
        return properties_pb2.Value(null_value=NULL_VALUE)
    if kind == "text[]":
        texts = properties_pb2.TextValues(values=value)
        return properties_pb2.Value(list_value=properties_pb2.ListValue(text_values=texts))
    key = {"text": "text_value", "boolean": "bool_value", "number": "number_value", "int": "int_value"}
    return properties_pb2.Value(**{key.get(kind, "blob_value"): int(value) if kind == "int" else value})
