"""Every system judged on the same held-out edges and the same queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from assets.recommender.evaluate.queries import Query, ranked
from assets.recommender.evaluate.systems import System
from heddle.metrics import compute
from heddle.metrics.auc import Auc, auc_interval
from heddle.metrics.bootstrap import ConfidenceInterval, flat
from heddle.metrics.judgements import judged
from heddle.metrics.ndcg import Ndcg
from heddle.metrics.pair_average_precision import PairAveragePrecision
from heddle.metrics.precision import Precision
from heddle.metrics.reciprocal_rank import ReciprocalRank
from lightning_modules.negatives.negatives import Pairs

K = 10
DEPTH = 100
"""How deep a list is looked at for the first right node."""
RANKED = (f"ndcg_at_{K}", f"hits_at_{K}", f"precision_at_{K}", "mrr")
"""Measures of ranked lists, each a mean over the queries; hits@k: whether any of the first k is right."""


@dataclass(frozen=True)
class Trial:
    """What one system is worth.

    Attributes:
        name: of the system.
        scores: of the edges and of the pairs that are none.
        numbers: `auc`, `average_precision`, `coverage` and the means of :data:`RANKED`, with bounds where known.
        firsts: rank of the first right node from 1, query by query; DEPTH + 1 where it is further down.
        lists: nodes and their scores, best first, query by query.
    """

    name: str
    scores: tuple[NDArray[np.float64], NDArray[np.float64]]
    numbers: Mapping[str, float]
    firsts: NDArray[np.int64]
    lists: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]]


def attempt(
    name: str, system: System, edges: Pairs, others: Pairs, asked: Sequence[Query], sure: ConfidenceInterval
) -> Trial:
    """Score the edges (P, 2) and the pairs that are none, and answer every query; at least one of each."""
    scores = system(edges), system(others)
    joined, labels = np.concatenate(scores), np.repeat([1, 0], [len(edges), len(others)])
    told: dict[str, float] = compute(Auc, predictions=joined, references=labels)
    if min(len(edges), len(others)) > 1:
        told["auc_low"], told["auc_high"] = auc_interval(*scores, sure.bootstrap.confidence)
    told |= compute(PairAveragePrecision, predictions=joined, references=labels)
    lists = [ranked(query, system, DEPTH) for query in asked]
    told |= _ranked_numbers(asked, lists, sure)
    candidates = set(chain.from_iterable(query.candidates.tolist() for query in asked))
    shown = set(chain.from_iterable(nodes[:K].tolist() for nodes, _ in lists))
    told["coverage"] = len(shown) / max(1, len(candidates))
    return Trial(name, scores, told, _firsts(asked, lists), lists)


def _ranked_numbers(
    asked: Sequence[Query], lists: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]], sure: ConfidenceInterval
) -> dict[str, float]:
    found = [[str(node) for node in nodes.tolist()] for nodes, _ in lists]
    wanted = [judged({str(node): 1 for node in sorted(query.right)}) for query in asked]
    values = {
        f"ndcg_at_{K}": Ndcg.per_query(found, wanted, K),
        f"hits_at_{K}": (_firsts(asked, lists) <= K).astype(np.float64),
        f"precision_at_{K}": Precision.per_query(found, wanted, K),
        "mrr": ReciprocalRank.per_query(found, wanted, DEPTH),
    }
    told: dict[str, float] = {}
    for name, each in values.items():
        told |= flat(name, sure(float(each.mean()), each))
    return told


def _firsts(
    asked: Sequence[Query], lists: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]]
) -> NDArray[np.int64]:
    ranks = []
    for query, (nodes, _) in zip(asked, lists, strict=True):
        right = np.flatnonzero(np.isin(nodes, sorted(query.right)))
        ranks.append(int(right[0]) + 1 if len(right) else DEPTH + 1)
    return np.array(ranks, np.int64)
