"""Expected calibration error of a classifier's confidence, by torchmetrics."""

import datasets
import evaluate
import torch
from torchmetrics.functional.classification import binary_calibration_error

BINS = 15

DESCRIPTION = """Expected calibration error: how far a classifier's confidence, the probability of the class that it
says, lies from its accuracy. The mean distance of the two over bins of equal width, weighted by how many predictions
fall into each."""

INPUTS = """
Args:
    predictions: probability of the class that was said, in [0, 1], at least one.
    references: whether that class is the right one, 1 or 0.
    bins: equal-width bins of [0, 1]; 15 as in the paper.
Returns:
    expected_calibration_error: in [0, 1]; 0 is best.
"""


class ExpectedCalibrationError(evaluate.Metric):
    """Distance of confidence and accuracy."""

    def _info(self) -> evaluate.MetricInfo:
        probability, right = datasets.Value("float32"), datasets.Value("int32")
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Guo et al. 2017, On Calibration of Modern Neural Networks",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": probability, "references": right}),
        )

    def _compute(self, predictions: list[float], references: list[int], bins: int = BINS) -> dict[str, float]:
        sure = torch.tensor(predictions, dtype=torch.float64)
        below_one = sure.clamp(max=1 - 1e-9)  # torchmetrics would give 1 itself a bin of its own
        # A prediction either hits or misses, so the error of the binary problem "is it right?" is that of any problem.
        error = binary_calibration_error(below_one, torch.tensor(references), n_bins=bins, norm="l1")
        return {"expected_calibration_error": error.item()}
