"""Accuracy of predicted labels, by torchmetrics."""

import datasets
import evaluate
import torch
from torchmetrics.functional.classification import multiclass_stat_scores

DESCRIPTION = """Accuracy: the share of the predictions that are right. A label that is never predicted, because the
model does not know it, counts as a miss wherever it is the right one."""

INPUTS = """
Args:
    predictions: the labels that were said, at least one.
    references: the labels that are right.
Returns:
    accuracy: in [0, 1].
"""


class Accuracy(evaluate.Metric):
    """Share of right predictions."""

    def _info(self) -> evaluate.MetricInfo:
        label = datasets.Value("string")
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Manning, Raghavan and Schütze 2008, Introduction to Information Retrieval, chapter 8",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": label, "references": label}),
        )

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        place = {label: index for index, label in enumerate(sorted({*predictions, *references}))}
        said, right = (torch.tensor([place[label] for label in labels]) for labels in (predictions, references))
        # Counts, because the accuracy itself comes in single precision: nine of ten must pass a gate of 0.9.
        hits, *_, count = multiclass_stat_scores(said, right, max(2, len(place)), average="micro").tolist()
        return {"accuracy": hits / count}
