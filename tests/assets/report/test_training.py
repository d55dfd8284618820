"""The section of the training curves."""

import xml.etree.ElementTree as ET

import pytest

from assets.report.charts.charts import Mark, Series, line_chart
from tests.support.report_page import Page


def test_training_shows_every_model_and_its_phases(page: Page) -> None:
    section = page.section("training")
    titles = {
        "clip": "Dual encoder",
        "vision": "Image classifier",
        "product": "Product classifier",
        "writer": "Content writer",
        "recommender": "Recommender",
        "alignment": "Space alignment",
        "reranker": "Reranker",
        "assistant": "Assistant",
    }
    for name, title in titles.items():
        assert f" {name} {title}, " in section
    assert "Reranker, 4,321 parameters, 2 epochs. Loss" in section
    assert "Assistant" in section.partition(" assistant ")[2].partition("Base model: loss")[0]
    product = section.partition(" Product classifier, ")[2].partition(" Content writer, ")[0]
    assert "phase 2" in product
    legend = product.partition("Accuracy, validation split")[2]
    assert legend.split()[:6] == ["all", "modalities", "image", "only", "text", "only"]


def test_line_chart_marks_a_phase_between_two_epochs() -> None:
    chart = line_chart("Loss", "epoch", [Series("x", [(1, 1.0), (2, 0.5), (3, 0.2)])], marks=[Mark(2.5, "phase 2")])
    tree = ET.fromstring(f"<div>{chart}</div>")
    (mark,) = [one for one in tree.iter("line") if one.attrib["class"] == "mark"]
    (words,) = [one for one in tree.iter("text") if one.text == "phase 2"]
    labels = {one.text: float(one.attrib["x"]) for one in tree.iter("text") if one.text in {"2", "3"}}
    assert float(mark.attrib["x1"]) == pytest.approx((labels["2"] + labels["3"]) / 2, abs=0.1)
    assert words.attrib["x"] == mark.attrib["x1"]


def test_training_curve_of_shares_has_an_axis_from_0_to_1(page: Page) -> None:
    chart = page.section("training").partition("NDCG@10, validation split")[2]
    assert chart.split()[:3] == ["0.0", "0.5", "1.0"]
