"""Retrieval from one embedding space in another: queries, relevant candidates, metrics, chance and upper bounds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heddle.metrics.ranking import ranking_metrics

K = 10
METRICS = ("recall_at_1", f"recall_at_{K}", f"ndcg_at_{K}", f"mrr_at_{K}")

Values = Mapping[str, NDArray[np.float64]]
"""Metric -> its value of each query, (Q,)."""


@dataclass(frozen=True)
class RetrievalTask:
    """Queries of one space and candidates of another.

    Attributes:
        queries: row of one listing for each distinct vector of the first space, (Q,).
        candidates: row of one listing for each distinct vector of the second space, (C,).
        relevant: for each query the indices into ``candidates`` of the vectors that a listing joins it with.
    """

    queries: NDArray[np.int64]
    candidates: NDArray[np.int64]
    relevant: Sequence[frozenset[int]]


def retrieval_task(query_ids: NDArray[np.int64], candidate_ids: NDArray[np.int64]) -> RetrievalTask:
    """Every distinct vector of one space is a query; every distinct vector of another space is a candidate.

    Args:
        query_ids: id of each listing's vector in the first space, (N,).
        candidate_ids: id of each listing's vector in the second space, (N,).
    """
    queries, first_query, query_of = np.unique(query_ids, return_index=True, return_inverse=True)
    _, first_candidate, candidate_of = np.unique(candidate_ids, return_index=True, return_inverse=True)
    relevant: dict[int, set[int]] = defaultdict(set)
    for query, candidate in zip(query_of.tolist(), candidate_of.tolist(), strict=True):
        relevant[query].add(candidate)
    return RetrievalTask(first_query, first_candidate, [frozenset(relevant[query]) for query in range(len(queries))])


def per_query_metrics(scores: NDArray[np.float64], relevant: Sequence[frozenset[int]]) -> Values:
    """Every metric of every query.

    Args:
        scores: of the candidates, (Q, C). Of those that tie, the relevant ones are ranked last.
        relevant: for each query its relevant candidates, at least one.
    """
    is_relevant = _relevance_mask(relevant, scores.shape[1])
    heads = np.lexsort((is_relevant, -scores), axis=1)[:, :K].astype(str).tolist()
    grades = [{str(index): 1 for index in sorted(indices)} for indices in relevant]
    return ranking_metrics(METRICS, heads, grades, K)


def chance_metrics(relevant: Sequence[frozenset[int]], candidates: int) -> dict[str, float]:
    """The expected mean of each metric for a random order of the candidates."""
    counts = np.array([len(indices) for indices in relevant])
    depth = min(K, candidates)
    gains = 1 / np.log2(np.arange(2, depth + 2))
    share = counts / candidates
    best = np.array([gains[: min(count, depth)].sum() for count in counts.tolist()])
    return {
        "recall_at_1": 1 / candidates,
        f"recall_at_{K}": depth / candidates,
        f"ndcg_at_{K}": float((share * gains.sum() / best).mean()),
        f"mrr_at_{K}": float(
            np.mean([_expected_reciprocal_rank(count, candidates, depth) for count in counts.tolist()])
        ),
    }


def upper_bounds(relevant: Sequence[frozenset[int]]) -> dict[str, float]:
    """The best possible recall@k, below 1 where queries have more than k relevant candidates."""
    counts = np.array([len(indices) for indices in relevant])
    return {f"recall_at_{k}": float((np.minimum(k, counts) / counts).mean()) for k in (1, K)}


def _expected_reciprocal_rank(relevant: int, candidates: int, depth: int) -> float:
    """Expected 1 / rank of the first relevant candidate: sums over ranks where none came before and this one is."""
    total, none_yet = 0.0, 1.0
    for before in range(min(depth, candidates - relevant + 1)):
        hit = relevant / (candidates - before)
        total += none_yet * hit / (before + 1)
        none_yet *= 1 - hit
    return total


def _relevance_mask(relevant: Sequence[frozenset[int]], candidates: int) -> NDArray[np.bool_]:
    mask = np.zeros((len(relevant), candidates), bool)
    for query, indices in enumerate(relevant):
        mask[query, sorted(indices)] = True
    return mask
