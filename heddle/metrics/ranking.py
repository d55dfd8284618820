"""Metrics of ranked lists, query by query, and the ranks of single relevant candidates."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from heddle.metrics.average_precision import AveragePrecision
from heddle.metrics.judgements import Judged, judged
from heddle.metrics.ndcg import Ndcg
from heddle.metrics.precision import Precision
from heddle.metrics.recall import Recall
from heddle.metrics.reciprocal_rank import ReciprocalRank

Floats = NDArray[np.float32]
CHUNK = 1024
AT = "_at_"
PER_QUERY: Mapping[str, Callable[[list[list[str]], list[Judged], int], NDArray[np.float64]]] = {
    "map": AveragePrecision.per_query,
    "mrr": ReciprocalRank.per_query,
    "ndcg": Ndcg.per_query,
    "precision": Precision.per_query,
    "recall": Recall.per_query,
}


def ranking_metrics(
    names: Sequence[str], ranked: Sequence[list[str]], grades: Sequence[Mapping[str, int]], depth: int
) -> dict[str, NDArray[np.float64]]:
    """Compute metrics of ranked lists.

    Args:
        names: keys of ``PER_QUERY``, with or without a cutoff: ``ndcg_at_10``, ``map``.
        ranked: for each query the ids of documents, best first, no id twice.
        grades: for each query its relevance judgements: id to grade; a grade of at least 1 is relevant.
        depth: cutoff of the names without one.

    Returns:
        Metric to its value of each query, (N,).
    """
    references = [judged(one) for one in grades]
    values = {}
    for name in names:
        metric, _, cutoff = name.partition(AT)
        values[name] = PER_QUERY[metric](list(ranked), references, int(cutoff) if cutoff else depth)
    return values


def own_ranks(queries: Floats, candidates: Floats, depth: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How each query ranks the candidates, of which only the one in its own row is relevant.

    Candidates that tie with the relevant one are ranked before it.

    Args:
        queries: unit vectors, (N, D).
        candidates: unit vectors, (N, D).
        depth: length of the ranked lists.

    Returns:
        The rank of the relevant candidate, from 1, (N,); the best candidates' rows, best first, (N, min(depth, N)).
    """
    ranks, heads = [], []
    for start in range(0, len(queries), CHUNK):
        similarity = queries[start : start + CHUNK] @ candidates.T  # (chunk, N)
        own = np.arange(start, start + len(similarity))
        relevant = similarity[np.arange(len(similarity)), own]
        ranks.append((similarity >= relevant[:, None]).sum(axis=1))
        is_own = np.arange(len(candidates)) == own[:, None]
        heads.append(np.lexsort((is_own, -similarity), axis=1)[:, :depth])  # of ties the relevant one last
    return np.concatenate(ranks), np.concatenate(heads)
