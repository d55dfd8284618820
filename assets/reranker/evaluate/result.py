"""Questions whose answers are known, asked in one way of looking, and what that way is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heddle.metrics.average_precision import AveragePrecision
from heddle.metrics.judgements import Judged, judged
from heddle.metrics.ndcg import Ndcg
from heddle.metrics.precision import Precision
from heddle.metrics.recall import Recall
from heddle.metrics.reciprocal_rank import ReciprocalRank
from heddle.retrieval.ranking import Ranking
from heddle.retrieval.retriever import Question, RetrievalConfig, Retriever

MEASURES = ("ndcg_at_10", "map", "mrr_at_10", "recall_at_10", "recall_at_100", "precision_at_5")


@dataclass(frozen=True)
class Case:
    """A question and its judgements.

    Attributes:
        id: of the query.
        grades: guide's id -> relevance; at least one is 1 or more.
    """

    id: str
    question: Question
    grades: Mapping[str, int]


@dataclass(frozen=True)
class Trial:
    """What one way of looking found for every case, and what that is worth.

    Attributes:
        rankings: of the library's guides, for each case.
        measures: each of :data:`MEASURES`, case by case, (N,).
        confidences: of the first hits, case by case.
        right: whether no guide is more relevant than the first hit, case by case; not so where there is none, (N,).
    """

    way: RetrievalConfig
    rankings: list[Ranking]
    measures: Mapping[str, NDArray[np.float64]]
    confidences: list[float]
    right: NDArray[np.bool_]


def attempt(retriever: Retriever, way: RetrievalConfig, cases: Sequence[Case]) -> Trial:
    """Ask every question in one way."""
    looked = [retriever.look(case.question, way) for case in cases]
    found = [[retriever.library.ids[place] for place in each.ranking.places.tolist()] for each in looked]
    best = [max(case.grades.values()) for case in cases]
    right = [
        any(case.grades.get(id_) == top for id_ in ids[:1]) for case, top, ids in zip(cases, best, found, strict=True)
    ]
    return Trial(
        way,
        [each.ranking for each in looked],
        _measured(found, [judged(case.grades) for case in cases], retriever.parameters.depth),
        [each.confidence for each in looked],
        np.array(right, dtype=bool),
    )


def _measured(found: list[list[str]], grades: list[Judged], depth: int) -> dict[str, NDArray[np.float64]]:
    """Each of :data:`MEASURES`, case by case; mean average precision looks `depth` guides deep."""
    return {
        "ndcg_at_10": Ndcg.per_query(found, grades, 10),
        "map": AveragePrecision.per_query(found, grades, depth),
        "mrr_at_10": ReciprocalRank.per_query(found, grades, 10),
        "recall_at_10": Recall.per_query(found, grades, 10),
        "recall_at_100": Recall.per_query(found, grades, 100),
        "precision_at_5": Precision.per_query(found, grades, 5),
    }
