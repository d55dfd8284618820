"""Filters, BM25, cosine and the two fusions, over all objects of a collection."""

import math
import re
from collections import Counter
from collections.abc import Mapping

import numpy as np
from weaviate.proto.v1 import base_pb2

from tests.support.weaviate_server.database import Class, RefusedError, Stored

STOPWORDS = """a an and are as at be but by for if in into is it no not of on or such that the their then there these
they this to was will with"""
Ranking = dict[str, float]
COMPARE = {
    base_pb2.Filters.OPERATOR_EQUAL: lambda one, other: one == other,
    base_pb2.Filters.OPERATOR_LESS_THAN: lambda one, other: one < other,
    base_pb2.Filters.OPERATOR_LESS_THAN_EQUAL: lambda one, other: one <= other,
    base_pb2.Filters.OPERATOR_GREATER_THAN: lambda one, other: one > other,
    base_pb2.Filters.OPERATOR_GREATER_THAN_EQUAL: lambda one, other: one >= other,
}


def accepted(held: Class, condition: base_pb2.Filters | None) -> dict[str, Stored]:
    """The objects that meet a filter."""
    if condition is None:
        return dict(held.objects)
    return {uuid: each for uuid, each in held.objects.items() if _meets(held, each, condition)}


def _meets(held: Class, stored: Stored, condition: base_pb2.Filters) -> bool:
    if condition.operator == base_pb2.Filters.OPERATOR_AND:
        return all(_meets(held, stored, each) for each in condition.filters)
    if condition.operator == base_pb2.Filters.OPERATOR_OR:
        return any(_meets(held, stored, each) for each in condition.filters)
    name = condition.target.property
    if name not in held.properties:
        raise RefusedError(f"invalid 'where' filter: no such prop with name '{name}' found in class")
    if not (held.properties[name]["indexFilterable"] or held.properties[name]["indexRangeFilters"]):
        raise RefusedError(f"Filtering by property '{name}' requires inverted index to be enabled")
    wanted = getattr(condition, condition.WhichOneof("test_value"))
    found = stored.properties.get(name)
    if found is None:
        return False
    kind = {"text": str, "boolean": bool, "number": float, "int": int}[held.properties[name]["dataType"][0]]
    if not isinstance(wanted, kind) or isinstance(wanted, bool) != (kind is bool):
        raise RefusedError(f"invalid 'where' filter: data type filter cannot use {type(wanted).__name__} on '{name}'")
    return COMPARE[condition.operator](found, wanted)


def by_vector(objects: Mapping[str, Stored], name: str, query: np.ndarray, limit: int) -> Ranking:
    """UUID -> cosine, best first, of the objects that have the vector."""
    scores = {}
    for uuid, each in objects.items():
        if name in each.vectors:
            if len(each.vectors[name]) != len(query):
                raise RefusedError(f"vector lengths don't match: {len(each.vectors[name])} vs {len(query)}")
            norms = np.linalg.norm(each.vectors[name]) * np.linalg.norm(query)
            scores[uuid] = float(each.vectors[name] @ query / norms) if norms else 0.0
    return _best(scores, limit)


def by_words(held: Class, objects: Mapping[str, Stored], query: str, limit: int) -> Ranking:
    """UUID -> BM25 over every searchable property, best first; statistics are of the whole collection."""
    config = held.config["invertedIndexConfig"]["bm25"]
    scores: Counter[str] = Counter()
    for name in (name for name, each in held.properties.items() if each["indexSearchable"]):
        texts = {uuid: words(each.properties.get(name) or "") for uuid, each in held.objects.items()}
        mean = sum(map(len, texts.values())) / max(1, len(texts))
        for word in words(query):
            holding = sum(word in text for text in texts.values())
            idf = math.log(1 + (len(texts) - holding + 0.5) / (holding + 0.5))
            for uuid in objects:
                frequency = texts[uuid].count(word)
                length = 1 - config["b"] + config["b"] * len(texts[uuid]) / mean
                scores[uuid] += idf * frequency / (frequency + config["k1"] * length)
    return _best({uuid: score for uuid, score in scores.items() if score > 0}, limit)


def words(text: str) -> list[str]:
    """Weaviate's tokenization `word`, without stop words."""
    return [word for word in re.findall(r"[^\W_]+", text.lower()) if word not in STOPWORDS.split()]


def ranked(rankings: list[tuple[Ranking, float]]) -> Ranking:
    """`rankedFusion`: weight / (60 + place)."""
    fused: Counter[str] = Counter()
    for ranking, weight in rankings:
        for place, uuid in enumerate(ranking):
            fused[uuid] += weight / (place + 60)
    return _best(fused, len(fused))


def relative(rankings: list[tuple[Ranking, float]]) -> Ranking:
    """`relativeScoreFusion`: each ranking's scores stretched to [0, 1]; where all are equal, 1."""
    fused: Counter[str] = Counter()
    for ranking, weight in rankings:
        for uuid, score in ranking.items():
            least, most = min(ranking.values()), max(ranking.values())
            fused[uuid] += weight * ((score - least) / (most - least) if most > least else 1.0)
    return _best(fused, len(fused))


def _best(scores: Mapping[str, float], limit: int) -> Ranking:
    return dict(sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))[:limit])
