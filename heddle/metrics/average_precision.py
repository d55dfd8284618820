"""Mean average precision of ranked lists, by torchmetrics."""

import evaluate
import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics.functional.retrieval import retrieval_average_precision, retrieval_recall

from heddle.metrics.judgements import FEATURES, INPUTS, Judged, each_query

DESCRIPTION = """MAP@k: the precision at the rank of each relevant document among the first k, summed and divided by the
number of all relevant documents, found or not, then averaged over the queries. trec_eval's map_cut_k, and its map,
where k is the length of the list. (torchmetrics' MAP divides by the number of those found instead.)"""

RETURNS = """Returns:
    map: in [0, 1].
"""


class AveragePrecision(evaluate.Metric):
    """Mean precision at the ranks of the relevant documents."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Buckley and Voorhees 2000, Evaluating Evaluation Measure Stability",
            inputs_description=INPUTS + RETURNS,
            features=FEATURES,
        )

    @staticmethod
    def per_query(predictions: list[list[str]], references: list[Judged], k: int) -> NDArray[np.float64]:
        """The values that the metric is the mean of, (N,)."""

        def of_all_relevant(scores: torch.Tensor, grades: torch.Tensor) -> torch.Tensor:
            of_found = retrieval_average_precision(scores, grades > 0, top_k=k)
            return of_found * retrieval_recall(scores, grades > 0, top_k=k)

        return each_query(of_all_relevant, predictions, references, k)

    def _compute(self, predictions: list[list[str]], references: list[Judged], k: int) -> dict[str, float]:
        return {"map": float(self.per_query(predictions, references, k).mean())}
