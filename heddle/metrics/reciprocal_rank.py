"""Mean reciprocal rank of ranked lists, by torchmetrics."""

import evaluate
import numpy as np
from numpy.typing import NDArray
from torchmetrics.functional.retrieval import retrieval_reciprocal_rank

from heddle.metrics.judgements import FEATURES, INPUTS, Judged, each_query

DESCRIPTION = """MRR@k: one over the rank of a query's first relevant document, 0 if it is not among the first k,
averaged over the queries. trec_eval's recip_rank, where k is the length of the list."""

RETURNS = """Returns:
    mrr: in [0, 1].
"""


class ReciprocalRank(evaluate.Metric):
    """One over the rank of the first relevant document."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Voorhees 1999, The TREC-8 Question Answering Track Report",
            inputs_description=INPUTS + RETURNS,
            features=FEATURES,
        )

    @staticmethod
    def per_query(predictions: list[list[str]], references: list[Judged], k: int) -> NDArray[np.float64]:
        """The values that the metric is the mean of, (N,)."""
        return each_query(
            lambda scores, grades: retrieval_reciprocal_rank(scores, grades > 0, top_k=k), predictions, references, k
        )

    def _compute(self, predictions: list[list[str]], references: list[Judged], k: int) -> dict[str, float]:
        return {"mrr": float(self.per_query(predictions, references, k).mean())}
