"""Evaluate every system on the same held-out edges and the same queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets.recommender.evaluate.queries import Query, ranked
from assets.recommender.evaluate.systems import System
from heddle.metrics import compute
from heddle.metrics.auroc import Auroc, auroc_interval
from heddle.metrics.bootstrap import ConfidenceInterval
from heddle.metrics.pair_average_precision import PairAveragePrecision
from heddle.metrics.ranking import ranking_metrics
from lightning_modules.negatives.negatives import Pairs

K = 10
DEPTH = 100
"""Length of the ranked lists, in which the first relevant node is searched."""

RankedList = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Nodes and their scores, best first."""


@dataclass(frozen=True)
class RecommenderResult:
    """Scores, ranked lists and metrics of one system.

    Attributes:
        name: of the system.
        scores: of the edges and of the negatives.
        metrics: `auroc`, `average_precision`, `coverage`, `ndcg_at_10`, `precision_at_10`, `hits_at_10` (whether any of
            the first 10 is relevant) and `mrr`, most with their intervals.
        first_ranks: rank of the first relevant node from 1, query by query; DEPTH + 1 where it is further down.
        lists: query by query.
    """

    name: str
    scores: tuple[NDArray[np.float64], NDArray[np.float64]]
    metrics: dict[str, Any]
    first_ranks: NDArray[np.int64]
    lists: Sequence[RankedList]


def evaluate_system(
    name: str, system: System, edges: Pairs, negatives: Pairs, queries: Sequence[Query], interval: ConfidenceInterval
) -> RecommenderResult:
    """Score the edges (P, 2) and the negatives (Q, 2), at least one of each, and rank the candidates of every query."""
    scores = system(edges), system(negatives)
    inputs = {"predictions": np.concatenate(scores), "references": np.repeat([1, 0], [len(edges), len(negatives)])}
    auroc: dict[str, float] = {"value": compute(Auroc, **inputs)["auroc"], "chance": 0.5}
    if min(len(edges), len(negatives)) > 1:
        auroc["low"], auroc["high"] = auroc_interval(*scores, interval.bootstrap.confidence)
    lists = [ranked(query, system, DEPTH) for query in queries]
    first_ranks = _first_ranks(queries, lists)
    candidates = set(chain.from_iterable(query.candidates.tolist() for query in queries))
    recommended = set(chain.from_iterable(nodes[:K].tolist() for nodes, _ in lists))
    metrics = {
        "auroc": auroc,
        **compute(PairAveragePrecision, **inputs),
        **_ranking(queries, lists, first_ranks, interval),
        "coverage": len(recommended) / max(1, len(candidates)),
    }
    return RecommenderResult(name, scores, metrics, first_ranks, lists)


def _ranking(
    queries: Sequence[Query], lists: Sequence[RankedList], first_ranks: NDArray[np.int64], interval: ConfidenceInterval
) -> dict[str, Any]:
    ids = [[str(node) for node in nodes.tolist()] for nodes, _ in lists]
    grades = [{str(node): 1 for node in sorted(query.relevant)} for query in queries]
    values = ranking_metrics((f"ndcg_at_{K}", f"precision_at_{K}", "mrr"), ids, grades, DEPTH)
    values[f"hits_at_{K}"] = (first_ranks <= K).astype(np.float64)
    return {name: interval(float(each.mean()), each) for name, each in values.items()}


def _first_ranks(queries: Sequence[Query], lists: Sequence[RankedList]) -> NDArray[np.int64]:
    ranks = []
    for query, (nodes, _) in zip(queries, lists, strict=True):
        relevant = np.flatnonzero(np.isin(nodes, sorted(query.relevant)))
        ranks.append(int(relevant[0]) + 1 if len(relevant) else DEPTH + 1)
    return np.array(ranks, np.int64)
