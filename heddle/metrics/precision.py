"""Precision@k of ranked lists, by torchmetrics."""

import evaluate
import numpy as np
from numpy.typing import NDArray
from torchmetrics.functional.retrieval import retrieval_precision

from heddle.metrics.judgements import FEATURES, INPUTS, Judged, each_query

DESCRIPTION = """Precision@k: how many of the first k of a query's ranked list are relevant, as a share of k even where
the list is shorter, averaged over the queries. trec_eval's P_k."""

RETURNS = """Returns:
    precision: in [0, 1].
"""


class Precision(evaluate.Metric):
    """Share of the first k that is relevant."""

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
            lambda scores, grades: retrieval_precision(scores, grades > 0, top_k=k), predictions, references, k
        )

    def _compute(self, predictions: list[list[str]], references: list[Judged], k: int) -> dict[str, float]:
        return {"precision": float(self.per_query(predictions, references, k).mean())}
