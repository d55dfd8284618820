"""Area under the ROC curve, by torchmetrics, and how sure it is."""

from statistics import NormalDist

import datasets
import evaluate
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torchmetrics.functional.classification import binary_auroc

DESCRIPTION = """How often something that is so scores higher than something that is not, ties counted half: the area
under the ROC curve (Mann and Whitney 1947)."""

INPUTS = """
Args:
    predictions: scores, of any size: only their order counts.
    references: 1 where it is so, 0 where not; at least one of each.
Returns:
    auroc: in [0, 1]; 0.5 is chance.
"""


class Auroc(evaluate.Metric):
    """Chance that a positive scores higher than a negative."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Hanley and McNeil 1982, The meaning and use of the area under a ROC curve",
            inputs_description=INPUTS,
            features=datasets.Features(
                {"predictions": datasets.Value("float64"), "references": datasets.Value("int32")}
            ),
        )

    def _compute(self, predictions: list[float], references: list[int]) -> dict[str, float]:
        shares = torch.from_numpy(rank_shares(np.asarray(predictions)))
        return {"auroc": float(binary_auroc(shares, torch.as_tensor(references)))}


def rank_shares(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores as numbers in (0, 1] of the same order: torchmetrics would squash others, which makes ties of them."""
    return rankdata(scores, "dense") / len(scores)


def auroc_interval(
    positives: NDArray[np.float64], negatives: NDArray[np.float64], confidence: float
) -> tuple[float, float]:
    """Bounds of the area for these scores, (P,) and (N,), by the variance of DeLong et al. (1988), within [0, 1].

    Raises:
        ValueError: fewer than two of a kind.
    """
    many, others = len(positives), len(negatives)
    if min(many, others) < 2:
        raise ValueError(f"{many} positives and {others} negatives: two of each are needed")
    joint = rankdata(np.concatenate([positives, negatives]))
    above = (joint[:many] - rankdata(positives)) / others  # share of the negatives below each positive
    below = 1 - (joint[many:] - rankdata(negatives)) / many  # share of the positives above each negative
    spread = np.sqrt(above.var(ddof=1) / many + below.var(ddof=1) / others)
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * spread
    return float(max(0.0, above.mean() - reach)), float(min(1.0, above.mean() + reach))
