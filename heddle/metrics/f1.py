"""F1 of predicted labels, macro and weighted, by torchmetrics."""

import datasets
import evaluate
import torch
from torchmetrics.functional.classification import multiclass_f1_score

DESCRIPTION = """F1: the harmonic mean of precision and recall of each label; 0 for a label that is never hit. Macro is
the mean over the labels, weighted is the mean over the references. Labels that occur neither among the predictions nor
among the references do not count."""

INPUTS = """
Args:
    predictions: the labels that were said, at least one.
    references: the labels that are right.
Returns:
    macro_f1: in [0, 1]; every label counts alike.
    weighted_f1: in [0, 1]; a label counts as often as it is the right one.
"""


class F1(evaluate.Metric):
    """Harmonic mean of precision and recall."""

    def _info(self) -> evaluate.MetricInfo:
        label = datasets.Value("string")
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="van Rijsbergen 1979, Information Retrieval, chapter 7",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": label, "references": label}),
        )

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        place = {label: index for index, label in enumerate(sorted({*predictions, *references}))}
        said, right = (torch.tensor([place[label] for label in labels]) for labels in (predictions, references))
        classes = max(2, len(place))  # torchmetrics asks for two at least; one that never occurs changes nothing
        return {
            "macro_f1": multiclass_f1_score(said, right, classes, average="macro").item(),
            "weighted_f1": multiclass_f1_score(said, right, classes, average="weighted").item(),
        }
