"""Classification numbers: published examples, scikit-learn as an oracle, and what must hold of any answers."""

import csv
import io
from pathlib import Path

import evaluate
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, f1_score

from heddle import metrics
from heddle.core.schemas import LISTINGS, read_rows
from heddle.evaluation.classification import (
    Predictions,
    classification_metrics,
    select_labelled,
    write_mistakes,
    write_plots,
)
from heddle.evaluation.parameters import BootstrapParameters
from heddle.metrics.accuracy import Accuracy
from heddle.metrics.bootstrap import ConfidenceInterval
from heddle.metrics.expected_calibration_error import ExpectedCalibrationError
from heddle.metrics.f1 import F1
from lightning_modules.training.shards import ShardSample

METRICS = Path(metrics.__file__).parent
CLASSES = ("book", "chair", "jar")
LABELS = st.sampled_from(("book", "chair", "jar", "lamp"))
PAIRS = st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=40)
INTERVAL = ConfidenceInterval(BootstrapParameters(samples=200), seed=1)

# The example of scikit-learn's documentation of f1_score, which gives 0.26… for both averages.
SAID = ["0", "2", "1", "0", "0", "1"]
RIGHT = ["0", "1", "2", "0", "1", "2"]


def test_the_documented_example_of_f1() -> None:
    found = metrics.compute(F1, predictions=SAID, references=RIGHT)
    assert found == pytest.approx({"macro_f1": 4 / 15, "weighted_f1": 4 / 15})  # F1 of the three: 0.8, 0, 0
    assert metrics.compute(Accuracy, predictions=SAID, references=RIGHT)["accuracy"] == 2 / 6


def test_accuracy_of_nine_in_ten_is_at_least_0_9() -> None:
    found = metrics.compute(Accuracy, predictions=["a"] * 10, references=["a"] * 9 + ["b"])
    assert found["accuracy"] >= 0.9


@given(pairs=PAIRS)
@settings(deadline=None, max_examples=30)
def test_accuracy_and_f1_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    predicted, right = [list(labels) for labels in zip(*pairs, strict=True)]
    found = metrics.compute(F1, predictions=predicted, references=right)
    for average in ("macro", "weighted"):
        # scikit-learn, too, takes the labels that occur on either side
        expected = f1_score(right, predicted, average=average, zero_division=0)
        assert found[f"{average}_f1"] == pytest.approx(expected, abs=1e-6)
    accuracy = metrics.compute(Accuracy, predictions=predicted, references=right)["accuracy"]
    assert accuracy == pytest.approx(accuracy_score(right, predicted), abs=1e-6)


def test_calibration_error_by_hand() -> None:
    # Bins of a fifth. [0.2, 0.4): sure 0.3, right 1/2. [0.8, 1]: sure 0.95, right 2/3.
    confidence, right = [0.25, 0.35, 0.9, 0.95, 1.0], [1, 0, 1, 1, 0]
    found = metrics.compute(ExpectedCalibrationError, predictions=confidence, references=right, bins=5)
    assert found["expected_calibration_error"] == pytest.approx(2 / 5 * 0.2 + 3 / 5 * (0.95 - 2 / 3))


def test_calibration_error_of_full_confidence_is_the_error_rate() -> None:
    found = metrics.compute(ExpectedCalibrationError, predictions=[1.0] * 4 + [0.999] * 4, references=[1, 1, 1, 0] * 2)
    assert found["expected_calibration_error"] == pytest.approx(0.9995 - 0.75, abs=1e-6)  # one bin holds all eight


@given(seed=st.integers(0, 999), count=st.integers(1, 200))
@settings(deadline=None, max_examples=20)
def test_calibration_error_is_that_of_scikit_learns_curve(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    confidence = random.random(count).astype(np.float32)
    right = (random.random(count) < confidence).astype(int)
    accuracy, mean = calibration_curve(right, confidence, n_bins=15, strategy="uniform", pos_label=1)
    counts = np.histogram(confidence.astype(np.float64), np.linspace(0, 1, 16))[0]
    expected = (np.abs(accuracy - mean) * counts[counts > 0]).sum() / count
    found = metrics.compute(ExpectedCalibrationError, predictions=confidence, references=right)
    assert found["expected_calibration_error"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "inputs", "result"),
    [
        ("accuracy", {"predictions": SAID, "references": RIGHT}, {"accuracy": 1 / 3}),
        ("f1", {"predictions": SAID, "references": RIGHT}, {"macro_f1": 4 / 15, "weighted_f1": 4 / 15}),
        (
            "expected_calibration_error",
            {"predictions": [0.7, 0.7], "references": [1, 0]},
            {"expected_calibration_error": 0.2},
        ),
    ],
)
def test_metrics_load_by_path(name: str, inputs: dict, result: dict) -> None:
    found = evaluate.load(str(METRICS / f"{name}.py"), keep_in_memory=True).compute(**inputs)
    assert found == pytest.approx(result)


def _samples(actual: list[str | None]) -> list[ShardSample]:
    def sample(number: int, item: str | None) -> ShardSample:
        row = dict.fromkeys(LISTINGS.names) | {"id": f"shop:{number}", "item": item, "title": f"number {number}"}
        return ShardSample(f"{number:04}", np.full((8, 8, 3), number, np.uint8), row)

    return [sample(number, item) for number, item in enumerate(actual)]


def _predictions(actual: list[str | None], probabilities: list[list[float]]) -> Predictions:
    return select_labelled("item", _samples(actual), CLASSES, np.array(probabilities, dtype=np.float32).reshape(-1, 3))


EVERY_CASE = _predictions(
    ["book", None, "chair", "lamp", "jar", ""],
    [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0, 0, 1], [0.2, 0.2, 0.6], [1, 0, 0]],
)


def test_unlabelled_rows_skipped_unknown_labels_count_wrong() -> None:
    assert EVERY_CASE.actual == ["book", "chair", "lamp", "jar"]
    assert EVERY_CASE.predicted == ["book", "book", "jar", "jar"]
    found = classification_metrics(EVERY_CASE, INTERVAL)
    accuracy = found["accuracy"]
    assert accuracy["value"] == 0.5
    assert accuracy["chance"] == 0.25
    assert 0 <= accuracy["low"] <= 0.5 <= accuracy["high"] <= 1
    # F1 of book and jar 2/3; chair and lamp, never hit, count with 0
    assert found["macro_f1"] == pytest.approx((2 / 3 + 2 / 3) / 4)
    assert found["weighted_f1"] == pytest.approx((2 / 3 + 2 / 3) / 4)
    # bins 9 (0.6 right and wrong: |0.6 - 0.5| of 2), 10 (0.7, right), 14 (1, wrong)
    assert found["calibration_error"] == pytest.approx((2 * 0.1 + 0.3 + 1) / 4, abs=1e-6)


def test_chance_is_the_share_of_the_most_frequent_class() -> None:
    found = classification_metrics(_predictions(["jar", "jar", "book"], [[0, 0, 1]] * 3), INTERVAL)
    assert found["accuracy"]["chance"] == found["accuracy"]["value"] == pytest.approx(2 / 3)


def test_no_predictions_give_no_metrics_and_empty_plots(tmp_path: Path) -> None:
    none = _predictions([None], [[1, 0, 0]])
    assert classification_metrics(none, INTERVAL) == {}
    write_plots(tmp_path, none)
    write_mistakes(tmp_path / "mistakes.parquet", [none], 5)
    assert (tmp_path / "item_confusion.csv").read_text() == "actual,predicted\n"
    assert (tmp_path / "item_reliability.csv").read_text() == "low,high,confidence,accuracy,share\n"
    assert read_rows(tmp_path / "mistakes.parquet") == []


@given(seed=st.integers(0, 999), count=st.integers(1, 60))
@settings(deadline=None, max_examples=20)
def test_reliability_diagram_agrees_with_the_metrics(
    seed: int, count: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet([0.3] * 3, count)
    given_ = _predictions(random.choice(CLASSES, count).tolist(), probabilities.tolist())
    folder = tmp_path_factory.mktemp("plots")
    write_plots(folder, given_)
    with (folder / "item_reliability.csv").open() as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    found = classification_metrics(given_, INTERVAL)
    assert sum(row["share"] for row in rows) == pytest.approx(1, abs=1e-4)
    assert sum(row["share"] * row["accuracy"] for row in rows) == pytest.approx(found["accuracy"]["value"], abs=1e-4)
    error = sum(row["share"] * abs(row["accuracy"] - row["confidence"]) for row in rows)
    assert error == pytest.approx(found["calibration_error"], abs=1e-4)
    assert all(row["low"] - 1e-5 <= row["confidence"] <= row["high"] + 1e-5 for row in rows)
    confusion = (folder / "item_confusion.csv").read_text().splitlines()[1:]
    assert sum(line.split(",")[0] == line.split(",")[1] for line in confusion) == given_.correct.sum()


def test_mistakes_are_sorted_by_confidence(tmp_path: Path) -> None:
    write_mistakes(tmp_path / "mistakes.parquet", [EVERY_CASE], 5)
    rows = read_rows(tmp_path / "mistakes.parquet")
    assert [(row["id"], row["actual"], row["predicted"]) for row in rows] == [
        ("shop:3", "lamp", "jar"),
        ("shop:2", "chair", "book"),
    ]
    assert [row["probability"] for row in rows] == pytest.approx([1.0, 0.6])
    assert [row["text"] for row in rows] == ["number 3", "number 2"]
    assert all(row["label"] == "item" for row in rows)
    assert Image.open(io.BytesIO(rows[0]["image"])).size == (8, 8)
    write_mistakes(tmp_path / "one.parquet", [EVERY_CASE, EVERY_CASE], 1)
    assert [row["id"] for row in read_rows(tmp_path / "one.parquet")] == ["shop:3", "shop:3"]
