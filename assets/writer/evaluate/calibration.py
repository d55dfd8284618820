"""Calibration: fit the certainty of alt texts on the validation split and measure it on the test split."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from assets.writer.evaluate.claims import Claims, Floats
from assets.writer.evaluate.prompting import CALIBRATED, FULL, WriterOutput, WriterPrompter
from assets.writer.evaluate.result import WriterResult, drop_nan
from heddle.core.stage import Stage
from heddle.description.certainty import Certainty
from heddle.evaluation.classification import write_reliability
from heddle.evaluation.platt_scaling import PlattScaling
from heddle.metrics import compute
from heddle.metrics.expected_calibration_error import ExpectedCalibrationError
from lightning_modules.training.shards import read_samples


def fit_certainty(stage: Stage, prompter: WriterPrompter) -> dict[str, PlattScaling]:
    """Fit the certainty on the texts for the validation split and write ``certainty.json``.

    Returns:
        System to its scaling; without systems of which no claim can be checked.
    """
    samples = list(read_samples(stage.input("shards") / "validation"))
    rows, inputs = [sample.row for sample in samples], prompter.inputs(samples)
    scalings: dict[str, PlattScaling] = {}
    for system in CALIBRATED:
        output = prompter.write(inputs[system])
        texts = [content.alt_text for content in output.contents]
        correct = Claims.read(texts, rows, prompter.lexicon).all_correct
        if len(drop_nan(correct)):
            scalings[system] = PlattScaling.fit(output.log_likelihoods[~np.isnan(correct)], drop_nan(correct))
    Certainty({system == FULL: scaling for system, scaling in scalings.items()}).save(stage.output)
    return scalings


def predict_certainties(scalings: Mapping[str, PlattScaling], outputs: Mapping[str, WriterOutput]) -> dict[str, Floats]:
    """System to the certainty of each of its alt texts, (N,); NaN without a scaling."""
    found: dict[str, Floats] = {}
    for system in CALIBRATED:
        likelihoods = outputs[system].log_likelihoods
        scaling = scalings.get(system)
        found[system] = np.full(len(likelihoods), np.nan) if scaling is None else scaling(likelihoods)
    return found


def measure_calibration(
    plots: Path, certainties: Mapping[str, Floats], results: Mapping[str, WriterResult]
) -> dict[str, float]:
    """Expected calibration error of each system, with its reliability diagram in ``plots``."""
    errors: dict[str, float] = {}
    for system, certainty in certainties.items():
        correct = results[system].claims.all_correct
        measured = ~(np.isnan(correct) | np.isnan(certainty))
        if measured.any():
            predictions, labels = certainty[measured], correct[measured]
            write_reliability(plots / f"{system}_reliability.csv", predictions, labels)
            error = compute(ExpectedCalibrationError, predictions=predictions, references=labels.astype(int))
            errors[system] = error["expected_calibration_error"]
    return errors
