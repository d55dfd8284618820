"""How training went."""

import xml.etree.ElementTree as ET

import pytest

from assets.report.charts.charts import Mark, Series, line_chart
from tests.support.report_page import Page


def test_training_shows_every_model_and_the_switch_between_phases(page: Page) -> None:
    section = page.section("Training", "Retrieval")
    for model in ("dual encoder", "image classifier", "product classifier", "language model that answers"):
        assert f"The {model}" in section
    assert "The cross-encoder that orders guides, 4,321 parameters, 2 epochs. Loss" in section
    assert "phase 2" in section
    legend = section.partition("Validation product class accuracy")[2]
    assert legend.split()[:6] == ["all", "modalities", "image", "alone", "text", "alone"]


def test_a_phase_begins_between_two_epochs() -> None:
    chart = line_chart("Loss", "epoch", [Series("x", [(1, 1.0), (2, 0.5), (3, 0.2)])], marks=[Mark(2.5, "phase 2")])
    tree = ET.fromstring(f"<div>{chart}</div>")
    (mark,) = [one for one in tree.iter("line") if one.attrib["class"] == "mark"]
    (words,) = [one for one in tree.iter("text") if one.text == "phase 2"]
    labels = {one.text: float(one.attrib["x"]) for one in tree.iter("text") if one.text in {"2", "3"}}
    assert float(mark.attrib["x1"]) == pytest.approx((labels["2"] + labels["3"]) / 2, abs=0.1)
    assert words.attrib["x"] == mark.attrib["x1"]


def test_shares_stand_on_a_scale_from_0_to_1(page: Page) -> None:
    chart = page.section("Training", "Retrieval").partition("Validation NDCG@10")[2]
    assert chart.split()[:3] == ["0.0", "0.5", "1.0"]
