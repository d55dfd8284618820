"""NDCG@k of ranked lists, by torchmetrics."""

from collections.abc import Callable

import evaluate
import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics.functional.retrieval import retrieval_normalized_dcg

from heddle.metrics.judgements import FEATURES, INPUTS, Judged, each_query

DESCRIPTION = """NDCG@k: the gains of the first k of a query's ranked list, each divided by log2(1 + rank), summed, as a
share of what the best possible list reaches, averaged over the queries. The gain of a grade is 2^grade - 1 (Burges et
al. 2005) unless `gain` says otherwise; trec_eval's ndcg_cut_k takes the grade itself, as Järvelin and Kekäläinen do.
With grades 0 and 1 the two are one."""

ARGUMENTS = """    gain: of a grade, at least 0; `exponential` where none is given, `linear` for trec_eval's.
Returns:
    ndcg: in [0, 1].
"""


def exponential(grade: int) -> int:
    """2^grade - 1: what is highly relevant counts a multiple."""
    return 2**grade - 1


def linear(grade: int) -> int:
    """The grade itself."""
    return grade


class Ndcg(evaluate.Metric):
    """Discounted gain as a share of the best possible."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Järvelin and Kekäläinen 2002, Cumulated Gain-based Evaluation of IR Techniques",
            inputs_description=INPUTS + ARGUMENTS,
            features=FEATURES,
        )

    @staticmethod
    def per_query(
        predictions: list[list[str]], references: list[Judged], k: int, gain: Callable[[int], float] = exponential
    ) -> NDArray[np.float64]:
        """The values that the metric is the mean of, (N,)."""

        def ndcg(scores: torch.Tensor, grades: torch.Tensor) -> torch.Tensor:
            gains = torch.tensor([gain(grade) for grade in grades.tolist()])
            return retrieval_normalized_dcg(scores, gains, top_k=k)

        return each_query(ndcg, predictions, references, k)

    def _compute(
        self,
        predictions: list[list[str]],
        references: list[Judged],
        k: int,
        gain: Callable[[int], float] = exponential,
    ) -> dict[str, float]:
        return {"ndcg": float(self.per_query(predictions, references, k, gain).mean())}
