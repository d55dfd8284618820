"""Evaluate a classifier on held-out listings: metrics, plots and its most confident mistakes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from heddle.core.csv_file import write_csv
from heddle.core.listing_text import captions
from heddle.core.schemas import write_table
from heddle.evaluation.plots import sample_jpeg, write_confusion
from heddle.metrics import compute
from heddle.metrics.accuracy import Accuracy
from heddle.metrics.bootstrap import ConfidenceInterval
from heddle.metrics.expected_calibration_error import BINS, ExpectedCalibrationError
from heddle.metrics.f1 import F1
from lightning_modules.training.shards import ShardSample

MISTAKES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # listings.id
        pa.field("label", pa.string(), nullable=False),  # field of the listing that the model predicts: "item"
        pa.field("actual", pa.string(), nullable=False),  # value of that field
        pa.field("predicted", pa.string(), nullable=False),  # class that the model predicted
        pa.field("probability", pa.float32(), nullable=False),  # of the predicted class
        pa.field("text", pa.string()),  # first caption of the listing; null without one
        pa.field("image", pa.binary(), nullable=False),  # JPEG
    ]
)


@dataclass(frozen=True)
class Predictions:
    """What a classifier predicts for listings whose label is known."""

    label: str
    """Field of the listings that the classifier predicts."""
    samples: tuple[ShardSample, ...]
    """The listings that have the label, N of them."""
    classes: tuple[str, ...]
    """Names of the classes, C of them."""
    probabilities: NDArray[np.float32]
    """Of each class, (N, C)."""

    @property
    def actual(self) -> list[str]:
        """The true labels. One that is not among the classes, because the train split lacks it, is always a mistake."""
        return [sample.row[self.label] for sample in self.samples]

    @property
    def predicted(self) -> list[str]:
        """The most probable class of each listing; the first of equals."""
        return [self.classes[best] for best in self.probabilities.argmax(axis=1)]

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Probability of the predicted class, (N,)."""
        return self.probabilities.max(axis=1).astype(np.float64)

    @property
    def correct(self) -> NDArray[np.float64]:
        """1 where the predicted class is the true label, 0 elsewhere, (N,)."""
        return np.array([a == p for a, p in zip(self.actual, self.predicted, strict=True)], dtype=np.float64)


def select_labelled(
    label: str, samples: Sequence[ShardSample], classes: Sequence[str], probabilities: NDArray[np.float32]
) -> Predictions:
    """The predictions for those listings that have the label.

    Args:
        label: field of the listings.
        samples: N listings.
        classes: names of the C columns.
        probabilities: (N, C), rows that sum to 1.
    """
    labelled = [index for index, sample in enumerate(samples) if sample.row.get(label)]
    return Predictions(label, tuple(samples[index] for index in labelled), tuple(classes), probabilities[labelled])


def classification_metrics(predictions: Predictions, interval: ConfidenceInterval) -> dict[str, Any]:
    """``accuracy`` with interval and chance, ``macro_f1``, ``weighted_f1`` and ``calibration_error``.

    Chance is the accuracy of always predicting the most frequent label of these listings. Empty without listings.
    """
    if not predictions.samples:
        return {}
    labels = {"predictions": predictions.predicted, "references": predictions.actual}
    correct = predictions.correct
    calibration = compute(ExpectedCalibrationError, predictions=predictions.confidence, references=correct.astype(int))
    chance = max(Counter(predictions.actual).values()) / len(predictions.samples)
    return {
        "accuracy": {**interval(compute(Accuracy, **labels)["accuracy"], correct), "chance": chance},
        **compute(F1, **labels),
        "calibration_error": calibration["expected_calibration_error"],
    }


def write_plots(folder: Path, predictions: Predictions) -> None:
    """Write ``<label>_confusion.csv`` and ``<label>_reliability.csv``."""
    write_confusion(folder / f"{predictions.label}_confusion.csv", predictions.actual, predictions.predicted)
    write_reliability(folder / f"{predictions.label}_reliability.csv", predictions.confidence, predictions.correct)


def write_reliability(path: Path, confidence: NDArray[np.float64], correct: NDArray[np.float64]) -> None:
    """Write a reliability diagram: edges, mean confidence, accuracy and share of each bin that is not empty.

    Args:
        path: of the table.
        confidence: probability of the prediction, (N,).
        correct: 1 where the prediction is correct, 0 elsewhere, (N,).
    """
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    rows = []
    for number in np.unique(bins):
        inside = bins == number
        values = (confidence[inside].mean(), correct[inside].mean(), inside.mean())
        rows.append((f"{number / BINS:.6f}", f"{(number + 1) / BINS:.6f}", *(f"{value:.6f}" for value in values)))
    write_csv(path, ("low", "high", "confidence", "accuracy", "share"), rows)


def write_mistakes(path: Path, predictions: Iterable[Predictions], count: int) -> None:
    """Write the most confident mistakes of several labels, at most ``count`` of each, most confident first."""
    rows: list[dict[str, Any]] = []
    for one in predictions:
        confidence, wrong = one.confidence, np.flatnonzero(one.correct == 0).tolist()
        ordered = sorted(wrong, key=lambda index: (-confidence[index], one.samples[index].key))
        rows += [_mistake(one, index) for index in ordered[:count]]
    write_table(path, rows, MISTAKES)


def _mistake(predictions: Predictions, index: int) -> dict[str, Any]:
    sample = predictions.samples[index]
    return {
        "id": sample.row["id"],
        "label": predictions.label,
        "actual": sample.row[predictions.label],
        "predicted": predictions.classes[predictions.probabilities[index].argmax()],
        "probability": float(predictions.confidence[index]),
        "text": next(iter(captions(sample.row).values()), None),
        "image": sample_jpeg(sample),
    }
