"""The sections of the image classifier and of the product classifier."""

import shutil
from pathlib import Path

import pytest

from assets.report.charts.svg import readable
from heddle.core.schemas import read_rows
from heddle.core.stage import read_json, write_json
from heddle.evaluation.metric_tree import MetricTree, find
from tests.support.report_page import Page, write_page
from tests.support.small_classifiers import ABLATION
from tests.support.small_project import write_project

DASH = "\N{EN DASH}"


def _row(label: str, metrics: MetricTree, system: str, listings: int) -> str:
    """The row of a label as the page shows it."""
    accuracy = find(metrics, f"{system}.accuracy")
    assert accuracy
    assert accuracy.interval
    assert accuracy.chance is not None
    low, high = map(readable, accuracy.interval)
    row = f" {label} {listings} {readable(accuracy.value)} {low} {DASH} {high} {readable(accuracy.chance)} "
    if accuracy.upper_bound is not None:
        row += f"{readable(accuracy.upper_bound)} "
    others = (metrics[system][name] for name in ("macro_f1", "weighted_f1", "calibration_error"))
    return row + " ".join(map(readable, others))


def test_vision_table_shows_the_metrics_of_each_label(page: Page, project: Path) -> None:
    metrics = read_json(project / "data/vision_evaluation/metrics.json")
    for label in ("item", "material"):
        assert _row(label, metrics, label, metrics[label]["listings"]) in page.section("vision")


def test_product_table_shows_listings_and_upper_bound(page: Page, project: Path) -> None:
    metrics = read_json(project / "data/product_evaluation/metrics.json")
    section = page.section("product")
    assert "chance upper bound macro F1" in section
    assert metrics["product_class_listings"] > 0
    assert _row("product class", metrics, "full", metrics["product_class_listings"]) in section


def test_product_ablation_shows_systems_by_accuracy(page: Page, project: Path) -> None:
    full = read_json(project / "data/product_evaluation/metrics.json")["full"]
    rows = {name.replace("_", " "): (accuracy, 0.3) for name, (accuracy, _) in ABLATION.items()}
    rows["all modalities"] = (full["accuracy"]["value"], full["macro_f1"])
    ordered = sorted(rows.items(), key=lambda row: row[1])
    table = " ".join(f"{name} {readable(accuracy)} {readable(f1)}" for name, (accuracy, f1) in ordered)
    assert f"modalities accuracy macro F1 {table} " in page.section("product")


def test_page_has_charts_of_calibration_and_confusion(page: Page) -> None:
    drawings = list(page.attributes("svg"))
    assert sum(one["class"] == "chart wide" for one in drawings) == 4  # zero-shot items; items, materials, classes
    for label in ("item", "material", "product class"):
        assert any((one["aria-label"] or "").startswith(f"Reliability: {label}.") for one in drawings)


@pytest.mark.parametrize("model", ["vision", "product"])
def test_mistakes_are_cards_with_prediction_and_probability(page: Page, project: Path, model: str) -> None:
    rows = read_rows(project / f"data/{model}_evaluation/mistakes.parquet")
    assert rows
    for row in rows:
        card = f"{row['actual']} ✗ {row['predicted']} {round(row['probability'] * 100, 1)}"
        assert " ".join(card.split()) in page.section(model)


def test_classifiers_without_labels_were_not_measured(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    counts = {"vision": "item_listings", "product": "product_class_listings"}
    for model, count in counts.items():
        evaluation = folder / "data" / f"{model}_evaluation"
        shutil.rmtree(evaluation)
        evaluation.mkdir()
        write_json(evaluation / "metrics.json", {"test_listings": 8, count: 0})
    page = write_page(folder)
    for model in counts:
        assert "No test listing has a label of this model, so nothing was measured." in page.section(model)
