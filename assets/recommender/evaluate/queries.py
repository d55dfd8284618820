"""The queries of the evaluation: nodes, their candidates and the candidates that test edges join them with."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets.recommender.evaluate.systems import System
from heddle.graph.tables import CatalogGraph


@dataclass(frozen=True)
class Query:
    """A node that has test edges.

    Attributes:
        source: the node.
        candidates: nodes of the types that predicted edges join its type with, without itself and without those that
            train or validation edges join it with, (C,).
        relevant: those of them that test edges join it with.
    """

    source: int
    candidates: NDArray[np.int64]
    relevant: frozenset[int]


def draw_queries(graph: CatalogGraph, max_queries: int) -> list[Query]:
    """The sources of test edges, at most ``max_queries`` by the hash of their ids, in the order of the nodes."""
    relevant: dict[int, set[int]] = defaultdict(set)
    for source, target in graph.predicted("test").tolist():
        relevant[source].add(target)
    taken: dict[int, set[int]] = defaultdict(set)
    for source, target in graph.predicted("train", "validation").tolist():
        taken[source].add(target)
        taken[target].add(source)
    drawn = sorted(relevant, key=lambda node: hashlib.sha256(graph.ids[node].encode()).digest())[:max_queries]
    types = np.array(graph.types, str)
    pools = {kind: np.flatnonzero(np.isin(types, targets)) for kind, targets in graph.targets_of.items()}
    return [
        Query(
            source,
            np.setdiff1d(pools[graph.types[source]], [source, *sorted(taken[source])]),
            frozenset(relevant[source]),
        )
        for source in sorted(drawn)
    ]


def ranked(query: Query, system: System, depth: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The best candidates, best first, and their scores.

    Relevant candidates are ranked after others with the same score.
    """
    scores = system(np.stack([np.full(len(query.candidates), query.source), query.candidates], axis=1))
    is_relevant = np.isin(query.candidates, sorted(query.relevant))
    order = np.lexsort((query.candidates, is_relevant, -scores))[:depth]
    return query.candidates[order], scores[order]
