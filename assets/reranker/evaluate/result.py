"""Results of one retrieval system on queries with known relevant guides."""

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
from heddle.retrieval.config import RetrievalConfig
from heddle.retrieval.query import EncodedQuery
from heddle.retrieval.ranking import Ranking
from heddle.retrieval.retriever import Retriever

HEADLINE = "ndcg_at_10"
METRICS = (HEADLINE, "map", "mrr_at_10", "recall_at_10", "recall_at_100", "precision_at_5")


@dataclass(frozen=True)
class JudgedQuery:
    """A query and its relevance judgements.

    Attributes:
        id: of the query.
        query: in the forms that retrieval compares.
        grades: id of a guide -> relevance; at least one is 1 or more.
    """

    id: str
    query: EncodedQuery
    grades: Mapping[str, int]


@dataclass(frozen=True)
class RetrievalResult:
    """What one system retrieved for every query, and its metrics.

    Attributes:
        config: of the system.
        rankings: of the guides, query by query.
        metrics: each of :data:`METRICS`, query by query, (N,).
        confidences: in the first hits, query by query.
        correct: whether no guide is more relevant than the first hit, query by query; False without a hit, (N,).
    """

    config: RetrievalConfig
    rankings: list[Ranking]
    metrics: Mapping[str, NDArray[np.float64]]
    confidences: list[float]
    correct: NDArray[np.bool_]


def evaluate_config(retriever: Retriever, config: RetrievalConfig, queries: Sequence[JudgedQuery]) -> RetrievalResult:
    """Retrieve guides for every query with one configuration, and compute the metrics."""
    retrieved = [retriever.retrieve(query.query, config) for query in queries]
    ids = [[retriever.index.ids[guide] for guide in guides.ranking.indices.tolist()] for guides in retrieved]
    correct = [
        bool(found) and query.grades.get(found[0]) == max(query.grades.values())
        for query, found in zip(queries, ids, strict=True)
    ]
    return RetrievalResult(
        config,
        [guides.ranking for guides in retrieved],
        _metrics(ids, [judged(query.grades) for query in queries], retriever.parameters.depth),
        [guides.confidence for guides in retrieved],
        np.array(correct, dtype=bool),
    )


def _metrics(ids: list[list[str]], grades: list[Judged], depth: int) -> dict[str, NDArray[np.float64]]:
    """Each of :data:`METRICS`, query by query; average precision is computed over `depth` guides."""
    return {
        "ndcg_at_10": Ndcg.per_query(ids, grades, 10),
        "map": AveragePrecision.per_query(ids, grades, depth),
        "mrr_at_10": ReciprocalRank.per_query(ids, grades, 10),
        "recall_at_10": Recall.per_query(ids, grades, 10),
        "recall_at_100": Recall.per_query(ids, grades, 100),
        "precision_at_5": Precision.per_query(ids, grades, 5),
    }
