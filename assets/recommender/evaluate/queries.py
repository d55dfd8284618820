"""What a recommender is asked: for a node, which nodes of the right type it should be joined with."""

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
        candidates: nodes of the types that its type is joined with by predicted edges, without itself and without those
            that train or validation edges join it with, (C,).
        right: those of them that test edges join it with.
    """

    source: int
    candidates: NDArray[np.int64]
    right: frozenset[int]


def queries(graph: CatalogGraph, most: int) -> list[Query]:
    """The sources of test edges, ``most`` of them by the hash of their ids, in the order of the nodes."""
    right: dict[int, set[int]] = defaultdict(set)
    for source, target in graph.predicted("test").tolist():
        right[source].add(target)
    taken: dict[int, set[int]] = defaultdict(set)
    for source, target in graph.predicted("train", "validation").tolist():
        taken[source].add(target)
        taken[target].add(source)
    drawn = sorted(right, key=lambda node: hashlib.sha256(graph.ids[node].encode()).digest())[:most]
    types = np.array(graph.types, str)
    pools = {kind: np.flatnonzero(np.isin(types, targets)) for kind, targets in graph.targets_of.items()}
    return [
        Query(
            source,
            np.setdiff1d(pools[graph.types[source]], [source, *sorted(taken[source])]),
            frozenset(right[source]),
        )
        for source in sorted(drawn)
    ]


def ranked(query: Query, system: System, depth: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The best candidates, best first, and their scores.

    What ties with others stands after those of them that are not right: equal scores are no merit.
    """
    scores = system(np.stack([np.full(len(query.candidates), query.source), query.candidates], axis=1))
    is_right = np.isin(query.candidates, sorted(query.right))
    order = np.lexsort((query.candidates, is_right, -scores))[:depth]
    return query.candidates[order], scores[order]
