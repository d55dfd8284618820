"""Recall@k of ranked lists, by torchmetrics."""

import evaluate
import numpy as np
from numpy.typing import NDArray
from torchmetrics.functional.retrieval import retrieval_recall

from heddle.metrics.judgements import FEATURES, INPUTS, Judged, each_query

DESCRIPTION = """Recall@k: the share of a query's relevant documents that stand among the first k of its ranked list,
averaged over the queries. A query without relevant documents counts as 0. trec_eval's recall_k."""

RETURNS = """Returns:
    recall: in [0, 1].
"""


class Recall(evaluate.Metric):
    """Share of the relevant documents among the first k."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Manning, Raghavan and Schütze 2008, Introduction to Information Retrieval, chapter 8",
            inputs_description=INPUTS + RETURNS,
            features=FEATURES,
        )

    @staticmethod
    def per_query(predictions: list[list[str]], references: list[Judged], k: int) -> NDArray[np.float64]:
        """The values that the metric is the mean of, (N,)."""
        return each_query(
            lambda scores, grades: retrieval_recall(scores, grades > 0, top_k=k), predictions, references, k
        )

    def _compute(self, predictions: list[list[str]], references: list[Judged], k: int) -> dict[str, float]:
        return {"recall": float(self.per_query(predictions, references, k).mean())}
