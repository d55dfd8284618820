"""Retrieval from one space in another, measured: what is asked, what is right, and what guessing reaches."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heddle.metrics.judgements import judged
from heddle.metrics.ndcg import Ndcg
from heddle.metrics.recall import Recall
from heddle.metrics.reciprocal_rank import ReciprocalRank

K = 10
MEASURES = ("recall_at_1", f"recall_at_{K}", f"ndcg_at_{K}", f"mrr_at_{K}")

Values = Mapping[str, NDArray[np.float64]]
"""Measure -> its value of each query, (Q,)."""


@dataclass(frozen=True)
class Question:
    """What is asked in one space and answered in another.

    Attributes:
        asking: row of a listing for each different member of the first space, (Q,).
        answers: the same of the second space, (C,).
        right: for each query the places in ``answers`` of the members that a listing joins it with.
    """

    asking: NDArray[np.int64]
    answers: NDArray[np.int64]
    right: Sequence[frozenset[int]]


def question(asking: NDArray[np.int64], answering: NDArray[np.int64]) -> Question:
    """Every different member of one space asked once in another, whose members are all different too.

    Args:
        asking: number of each listing's member in the first space, (N,).
        answering: the same in the second space, (N,).
    """
    queries, first_query, query_of = np.unique(asking, return_index=True, return_inverse=True)
    _, first_answer, answer_of = np.unique(answering, return_index=True, return_inverse=True)
    right: dict[int, set[int]] = defaultdict(set)
    for query, answer in zip(query_of.tolist(), answer_of.tolist(), strict=True):
        right[query].add(answer)
    return Question(first_query, first_answer, [frozenset(right[query]) for query in range(len(queries))])


def measured(scores: NDArray[np.float64], right: Sequence[frozenset[int]]) -> Values:
    """Every measure of every query.

    Args:
        scores: of the candidates, higher for likelier ones, (Q, C). Of those that tie, the right ones come last.
        right: for each query the candidates that are right, at least one.
    """
    is_right = _marked(right, scores.shape[1])
    heads = np.lexsort((is_right, -scores), axis=1)[:, :K].astype(str).tolist()
    wanted = [judged({str(place): 1 for place in sorted(places)}) for places in right]
    return {
        "recall_at_1": Recall.per_query(heads, wanted, 1),
        f"recall_at_{K}": Recall.per_query(heads, wanted, K),
        f"ndcg_at_{K}": Ndcg.per_query(heads, wanted, K),
        f"mrr_at_{K}": ReciprocalRank.per_query(heads, wanted, K),
    }


def chances(right: Sequence[frozenset[int]], candidates: int) -> dict[str, float]:
    """What an order drawn by chance is expected to reach, each measure's mean over the queries."""
    counts = np.array([len(places) for places in right])
    depth = min(K, candidates)
    gains = 1 / np.log2(np.arange(2, depth + 2))
    share = counts / candidates
    best = np.array([gains[: min(count, depth)].sum() for count in counts.tolist()])
    return {
        "recall_at_1": 1 / candidates,
        f"recall_at_{K}": depth / candidates,
        f"ndcg_at_{K}": float((share * gains.sum() / best).mean()),
        f"mrr_at_{K}": float(np.mean([_first_by_chance(count, candidates, depth) for count in counts.tolist()])),
    }


def ceilings(right: Sequence[frozenset[int]]) -> dict[str, float]:
    """The best recall there can be where more are right than are looked at."""
    counts = np.array([len(places) for places in right])
    return {f"recall_at_{k}": float((np.minimum(k, counts) / counts).mean()) for k in (1, K)}


def _first_by_chance(right: int, candidates: int, depth: int) -> float:
    """Expected 1 / rank of the first right one: at each rank, that none came before and that this is one."""
    total, none_yet = 0.0, 1.0
    for before in range(min(depth, candidates - right + 1)):
        hit = right / (candidates - before)
        total += none_yet * hit / (before + 1)
        none_yet *= 1 - hit
    return total


def _marked(right: Sequence[frozenset[int]], candidates: int) -> NDArray[np.bool_]:
    marks = np.zeros((len(right), candidates), bool)
    for query, places in enumerate(right):
        marks[query, sorted(places)] = True
    return marks
