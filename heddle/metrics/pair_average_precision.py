"""Average precision of scored pairs, by torchmetrics."""

import datasets
import evaluate
import numpy as np
import torch
from torchmetrics.functional.classification import binary_average_precision

from heddle.metrics.auroc import rank_shares

DESCRIPTION = """The precision at each score of a positive, averaged over the positives: the area under the steps of the
precision-recall curve. It depends on how many negatives there are; link prediction takes as many as positives."""

INPUTS = """
Args:
    predictions: scores, of any size: only their order counts.
    references: 1 for an edge, 0 for a pair that is none; at least one edge.
Returns:
    average_precision: in [0, 1].
"""


class PairAveragePrecision(evaluate.Metric):
    """Mean precision at the scores of the positives."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Kipf and Welling 2016, Variational Graph Auto-Encoders",
            inputs_description=INPUTS,
            features=datasets.Features(
                {"predictions": datasets.Value("float64"), "references": datasets.Value("int32")}
            ),
        )

    def _compute(self, predictions: list[float], references: list[int]) -> dict[str, float]:
        shares = torch.from_numpy(rank_shares(np.asarray(predictions)))
        return {"average_precision": float(binary_average_precision(shares, torch.as_tensor(references)))}
