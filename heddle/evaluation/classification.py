"""How well a classifier names held-out listings, whatever it looks at: numbers, plots and its surest mistakes."""

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
from heddle.metrics.bootstrap import ConfidenceInterval, flat
from heddle.metrics.expected_calibration_error import BINS, ExpectedCalibrationError
from heddle.metrics.f1 import F1
from lightning_modules.training.data import ShardSample

MISTAKES = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # listings.id
        pa.field("label", pa.string(), nullable=False),  # which field of the listing was to be named: "item"
        pa.field("actual", pa.string(), nullable=False),  # what it is
        pa.field("predicted", pa.string(), nullable=False),  # what the model said
        pa.field("probability", pa.float32(), nullable=False),  # the model's, of what it said
        pa.field("words", pa.string()),  # the listing's plainest text, if it has any
        pa.field("image", pa.binary(), nullable=False),  # JPEG
    ]
)


@dataclass(frozen=True)
class Answers:
    """What a classifier said of listings whose label is known."""

    label: str
    """The field of the listings that was to be named."""
    samples: tuple[ShardSample, ...]
    """The listings that have the label, N of them."""
    classes: tuple[str, ...]
    """What the classifier can say, C names."""
    probabilities: NDArray[np.float32]
    """Of each class, (N, C)."""

    @property
    def actual(self) -> list[str]:
        """What the listings are; maybe a class that the train split never showed, and so a sure miss."""
        return [sample.row[self.label] for sample in self.samples]

    @property
    def predicted(self) -> list[str]:
        """The likeliest class of each; the first of equals."""
        return [self.classes[best] for best in self.probabilities.argmax(axis=1)]

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Probability of what was said, (N,)."""
        return self.probabilities.max(axis=1).astype(np.float64)

    @property
    def right(self) -> NDArray[np.float64]:
        """1 where what was said is so, 0 elsewhere, (N,)."""
        return np.array([a == p for a, p in zip(self.actual, self.predicted, strict=True)], dtype=np.float64)


def answers(
    label: str, samples: Sequence[ShardSample], classes: Sequence[str], probabilities: NDArray[np.float32]
) -> Answers:
    """The answers that can be judged: listings without the label are left out.

    Args:
        label: field of the listings.
        samples: N listings.
        classes: names of the C columns.
        probabilities: (N, C), rows that sum to 1.
    """
    known = [place for place, sample in enumerate(samples) if sample.row.get(label)]
    return Answers(label, tuple(samples[place] for place in known), tuple(classes), probabilities[known])


def numbers(given: Answers, sure: ConfidenceInterval) -> dict[str, float]:
    """``accuracy`` with its bounds and chance, ``macro_f1``, ``weighted_f1`` and ``calibration_error``.

    Chance is to say the most frequent class of these listings every time. Nothing if there are no answers.
    """
    if not given.samples:
        return {}
    said = {"predictions": given.predicted, "references": given.actual}
    calibration = compute(ExpectedCalibrationError, predictions=given.confidence, references=given.right.astype(int))
    accuracy = compute(Accuracy, **said)["accuracy"]
    return {
        **flat("accuracy", sure(accuracy, given.right)),
        "accuracy_chance": max(Counter(given.actual).values()) / len(given.samples),
        **compute(F1, **said),
        "calibration_error": calibration["expected_calibration_error"],
    }


def write_plots(folder: Path, given: Answers) -> None:
    """``<label>_confusion.csv`` and ``<label>_reliability.csv``."""
    write_confusion(folder / f"{given.label}_confusion.csv", given.actual, given.predicted)
    write_reliability(folder / f"{given.label}_reliability.csv", given.confidence, given.right)


def write_reliability(path: Path, confidence: NDArray[np.float64], right: NDArray[np.float64]) -> None:
    """Of each bin of confidence that has answers: its edges, mean confidence, accuracy, share of all answers.

    Args:
        path: of the table.
        confidence: probability that the answer is right, (N,).
        right: 1 where it is, 0 elsewhere, (N,).
    """
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    rows = []
    for number in np.unique(bins):
        inside = bins == number
        values = (confidence[inside].mean(), right[inside].mean(), inside.mean())
        rows.append((f"{number / BINS:.6f}", f"{(number + 1) / BINS:.6f}", *(f"{value:.6f}" for value in values)))
    write_csv(path, ("low", "high", "confidence", "accuracy", "share"), rows)


def write_mistakes(path: Path, judged: Iterable[Answers], count: int) -> None:
    """For each of several labels the mistakes of which the model was surest, at most ``count``, surest first."""
    rows: list[dict[str, Any]] = []
    for given in judged:
        confidence, wrong = given.confidence, np.flatnonzero(given.right == 0).tolist()
        surest = sorted(wrong, key=lambda place: (-confidence[place], given.samples[place].key))
        rows += [_mistake(given, place) for place in surest[:count]]
    write_table(path, rows, MISTAKES)


def _mistake(given: Answers, place: int) -> dict[str, Any]:
    sample = given.samples[place]
    return {
        "id": sample.row["id"],
        "label": given.label,
        "actual": sample.row[given.label],
        "predicted": given.classes[given.probabilities[place].argmax()],
        "probability": float(given.confidence[place]),
        "words": next(iter(captions(sample.row).values()), None),
        "image": sample_jpeg(sample),
    }
