"""The report: every number from the metrics files, every word escaped, every part absent without harm."""

import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from assets.index import index
from assets.report.charts import Mark, Series, histogram, line_chart, reliability_diagram
from assets.report.confusion import confusion_matrix
from assets.report.graph import GraphStage, Layout, draw, read_graph
from assets.report.heat import heat_map
from assets.report.page import SECTIONS, report
from assets.report.positions import positions
from assets.report.svg import alike, counted, readable, ticks
from assets.schemas import read_rows
from assets.stage import read_json, write_json
from lightning_modules.layers.position_tables import sinusoidal_table
from tests.assets.small_classifiers import NO_PRODUCT, NO_VISION
from tests.assets.small_project import HOSTILE, NUMBERS, run, write_project

VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """Checks that tags nest, and keeps elements and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] != "style":
            self.text.append(data)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))

    def attributes(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.elements if name == tag)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("report") / "project")
    run(index, folder)
    run(report, folder)
    return folder


@pytest.fixture(scope="module")
def html(project: Path) -> str:
    return (project / "data" / "report" / "index.html").read_text()


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of a plain table: no labels, guides, faults, plots, history or numbers."""
    folder = write_project(tmp_path_factory.mktemp("report") / "bare", bare=True, numbers={})
    (folder / "data" / "clip" / "history.csv").unlink()
    run(index, folder)
    run(report, folder)
    return Page((folder / "data" / "report" / "index.html").read_text())


def test_it_is_one_page_that_needs_nothing_else(page: Page, html: str) -> None:
    assert next(page.attributes("html")) == {"lang": "en"}
    sources = [attributes.get("src") or "" for attributes in page.attributes("img")]
    assert sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert not list(page.attributes("link"))
    assert not re.search(r"@import|url\(", html)
    assert len(html) < 5_000_000


def test_every_section_is_there_and_linked(page: Page) -> None:
    assert [attributes["id"] for attributes in page.attributes("section")] == list(SECTIONS)
    anchors = {attributes["href"] for attributes in page.attributes("a")}
    assert {f"#{name}" for name in SECTIONS} <= anchors


def test_pictures_and_drawings_have_words_for_those_who_cannot_see_them(page: Page) -> None:
    assert all(attributes.get("alt") for attributes in page.attributes("img"))
    drawings = list(page.attributes("svg"))
    assert drawings
    assert all(attributes.get("role") == "img" and attributes.get("aria-label") for attributes in drawings)


def test_hostile_words_stay_words(page: Page, html: str) -> None:
    assert "script" not in {tag for tag, _ in page.elements}
    assert "<script" not in html.lower()
    assert HOSTILE in page.words
    assert "49" not in {word for word in page.words.split() if word == "49"}  # {{ 7 * 7 }} was not evaluated
    for _, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes)
    hrefs = [attributes["href"] or "" for attributes in page.attributes("a")]
    assert all(href.startswith(("#", "http://", "https://")) for href in hrefs)


def test_the_headline_is_the_metrics_files(page: Page, project: Path) -> None:
    catalog = read_json(project / "data" / "catalog" / "metrics.json")
    validated = read_json(project / "data" / "validated" / "metrics.json")
    fetched, accepted = catalog["listings_fetched"], validated["listings_accepted"]
    refused, duplicates = validated["listings_quarantined"], catalog["listings_duplicates"]
    assert fetched == accepted + refused + duplicates
    head = page.words.split("What came in", 1)[1].split("Gates", 1)[0]
    assert [int(number) for number in re.findall(r"\d+", head)[:4]] == [fetched, accepted, refused, duplicates]
    assert "24 listings, 1 of 2 gates failed" in page.words
    assert "add up" not in page.words


def test_counts_that_do_not_add_up_are_shouted(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    run(index, folder)
    write_json(folder / "data" / "catalog" / "metrics.json", {"listings_fetched": 30})
    run(report, folder)
    assert "do not add up: 2 are missing" in Page((folder / "data" / "report" / "index.html").read_text()).words


def test_headline_numbers_stand_beside_interval_chance_gate_and_ceiling(page: Page) -> None:
    head = page.words.split("listings they never saw", 1)[1].split("confidence interval", 1)[0]
    for key, value in NUMBERS.items():
        if key != "duplicate_texts":
            assert readable(value) in head, key
    assert "gate ≥ 0.600" in head
    assert head.index("Text to image recall@10") < head.index("Zero-shot item accuracy")


def test_the_headline_tells_of_each_model(page: Page, project: Path) -> None:
    head = page.words.split("listings they never saw", 1)[1].split("confidence interval", 1)[0]
    vision = read_json(project / "data" / "vision_evaluation" / "metrics.json")
    product = read_json(project / "data" / "product_evaluation" / "metrics.json")
    assert f"Item accuracy {readable(vision['item_accuracy'])}" in head
    assert f"Material accuracy {readable(vision['material_accuracy'])}" in head
    assert f"Accuracy {readable(product['accuracy'])}" in head
    assert head.index("clip words and pictures") < head.index("vision names") < head.index("product names")


def _section(page: Page, name: str, following: str) -> str:
    """The words of one section; its heading stands in the navigation, too."""
    return page.words.rpartition(f" {name} ")[2].partition(f" {following} ")[0]


def test_classifiers_show_their_numbers_and_what_each_modality_is_worth(page: Page, project: Path) -> None:
    section = _section(page, "Classification", "Lineage")
    numbers = read_json(project / "data" / "vision_evaluation" / "metrics.json")
    for label in ("item", "material"):
        keys = ("accuracy", "accuracy_low", "accuracy_high", "accuracy_chance", "macro_f1", "calibration_error")
        row = section.partition(f" {label} {numbers[f'{label}_listings']} ")[2][:120]
        for key in keys:
            assert readable(numbers[f"{label}_{key}"]) in row, (label, key)
    assert re.search(r"words alone 0\.512 0\.300 0\.350 0\.125 all modalities 0\.750", section)
    matrices = [one["aria-label"] or "" for one in page.attributes("svg") if one["class"] == "chart wide"]
    assert len(matrices) == 4  # zero-shot items; items, materials, product classes
    assert any("How often the product class is right" in (one["aria-label"] or "") for one in page.attributes("svg"))


def test_surest_mistakes_are_cards_with_what_was_said(page: Page, project: Path) -> None:
    section = _section(page, "Classification", "Lineage")
    rows = read_rows(project / "data" / "vision_evaluation" / "mistakes.parquet")
    assert rows
    for row in rows:
        said = f"{row['actual']} ✗ {row['predicted']} {round(row['probability'] * 100, 1)}"
        assert " ".join(said.split()) in section


def test_training_shows_every_model_and_the_switch_between_phases(page: Page) -> None:
    section = _section(page, "Training", "Retrieval")
    for words in ("The dual encoder, ", "The picture classifier, ", "The product classifier, "):
        assert words in section
    assert "phase 2" in section
    legend = section.partition("Validation product class accuracy")[2]
    assert legend.split()[:6] == ["all", "modalities", "picture", "alone", "words", "alone"]


def test_a_phase_begins_between_two_epochs() -> None:
    chart = line_chart("Loss", "epoch", [Series("x", [(1, 1.0), (2, 0.5), (3, 0.2)])], marks=[Mark(2.5, "phase 2")])
    tree = ET.fromstring(f"<div>{chart}</div>")
    (mark,) = [one for one in tree.iter("line") if one.attrib["class"] == "mark"]
    (words,) = [one for one in tree.iter("text") if one.text == "phase 2"]
    labels = {one.text: float(one.attrib["x"]) for one in tree.iter("text") if one.text in {"2", "3"}}
    assert float(mark.attrib["x1"]) == pytest.approx((labels["2"] + labels["3"]) / 2, abs=0.1)
    assert words.attrib["x"] == mark.attrib["x1"]


def test_positions_are_drawn_from_the_layers_own_numbers() -> None:
    sinusoidal, cosines, dials, likeness = positions()["charts"]
    assert "Sinusoidal" in sinusoidal
    assert "6.3 tokens a turn" in dials  # the first pair turns by one radian a token
    assert "base 10,000, as in the paper: 1.000 to" in likeness
    table = sinusoidal_table(96, 48)
    strongest = (np.abs(table) >= 15 / 16).sum()  # cells, of the last of eight shades
    shades = re.findall(r'd="([^"]+)" class="heat c[01]" fill-opacity="1"', sinusoidal)
    widths = [
        float(right) - float(left) for path in shades for left, right in re.findall(r"M([\d.]+) [\d.]+H([\d.]+)V", path)
    ]
    assert sum(widths) / (340 / 96) == pytest.approx(strongest, abs=3)  # rounded to 1/100 pixel
    assert cosines.count("<path") == 16  # cosines take all shades but none


def test_gates_are_judged(page: Page) -> None:
    assert re.search(r"recall@10 passed found 0\.712, must be at least 0\.5", page.words)
    assert re.search(r"accuracy failed found 0\.432, must be at least 0\.6", page.words)


def test_refused_records_are_counted_by_reason_with_an_example(page: Page) -> None:
    assert re.search(r"image_missing listings 2 shop:800 404", page.words)
    assert re.search(r"title_present listings 1 shop:802", page.words)
    assert re.search(r"edges_join_known_nodes edges 1 a made_of b", page.words)
    assert "shop:900 shop:000 near 3" in page.words
    assert "http://shop.example/shop:800" in {attributes["href"] for attributes in page.attributes("a")}


def test_the_lineage_is_what_dvc_yaml_says(page: Page, project: Path) -> None:
    graph = {stage.name: stage.reads for stage in read_graph(project / "dvc.yaml")}
    assert graph == {
        "catalog": (),
        "validated": ("catalog",),
        "clip": ("validated", "catalog"),
        "index": ("clip", "validated"),
        "report": ("index",),
    }
    assert "Where <it> starts." in page.words
    drawing = next(attributes for attributes in page.attributes("svg") if attributes["class"] == "chart lineage")
    assert "clip from validated, catalog" in (drawing["aria-label"] or "")


def test_the_parameters_shown_are_those_that_dvc_yaml_declares_for_the_page(page: Page) -> None:
    shown = page.words.split("Parameters and numbers", 2)[-1].split("Every number")[0]
    assert "params.yaml seed: 7 gates: clip:" in shown
    assert "scales/smoke.yaml clip: {learning_rate: 0.001}" in shown
    for undeclared in ("compute", "threads", "tokenizer", "thumbnail"):
        assert undeclared not in shown


def test_its_bytes_depend_on_nothing_but_the_inputs(project: Path, html: str) -> None:
    run(report, project, "report_again")
    assert (project / "data" / "report_again" / "index.html").read_text() == html
    assert str(project) not in html
    assert not re.search(r"20\d\d-\d\d-\d\d", html)


def test_a_plain_table_gives_a_page_that_says_what_is_absent(bare: Page) -> None:
    assert "24 listings, 2 of 2 gates failed" in bare.words
    for words in (
        "The evaluation reports no headline numbers.",
        "No record was refused.",
        "No listing shows another's picture.",
        "The sources brought no images, guides, queries",
        "No listing bears a label.",
        "The model has no training history.",
        NO_VISION,
        NO_PRODUCT,
        "The evaluation kept no examples.",
        "The evaluation kept no curves.",
        "The listings bear no item labels",
        "not measured",
    ):
        assert words in bare.words
    assert len(list(bare.attributes("section"))) == len(SECTIONS)


def test_an_absent_model_is_said_in_every_section_in_place_of_numbers(bare: Page) -> None:
    for reason in (NO_VISION, NO_PRODUCT):
        assert bare.words.count(reason) == 3  # summary, training, classification
    assert "✗ " not in _section(bare, "Classification", "Lineage")


def test_classifiers_without_numbers_say_so(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    run(index, folder)
    for model in ("vision", "product"):
        evaluation = folder / "data" / f"{model}_evaluation"
        shutil.rmtree(evaluation)
        evaluation.mkdir()
        write_json(evaluation / "metrics.json", {"test_listings": 8, "item_listings": 0, "product_class_listings": 0})
    run(report, folder)
    page = Page((folder / "data" / "report" / "index.html").read_text())
    assert page.words.count("so nothing was measured") == 2


def test_numbers_alone_are_enough_for_a_page(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    run(index, folder)
    write_json(folder / "data" / "clip_evaluation" / "metrics.json", {"text_to_image_recall_at_10": 1.0})
    assert run(report, folder)["gates_passed"] == 1


# drawings


def test_charts_are_wellformed_and_stay_in_their_frame() -> None:
    lines = [Series("a <b>", [(1, 0.5), (2, None), (3, 2.0)]), Series("given", [(1, 1), (3, 1)], 1, dashed=True)]
    for figure in (
        line_chart("Loss", "epoch", lines),
        line_chart("One point", "epoch", [Series("x", [(1, 1.0)])]),
        histogram("Likeness", "cosine", [0, 0.5, 1], [("a", [1, 3]), ("b", [0, 0])]),
        confusion_matrix(["<chair>", "jar"], [[3, 1], [0, 2]]),
        line_chart("Marked", "epoch", lines, marks=[Mark(2.5, "phase <2>"), Mark(99, "never")]),
        reliability_diagram("Sure", [{"low": 0.8, "high": 1.0, "confidence": 0.9, "accuracy": 1.0, "share": 1.0}]),
        reliability_diagram("Nothing", []),
        heat_map("Heat", "x", [[-1.0, 0.0, 0.03], [1.0, 2.0, -0.5]]),
    ):
        tree = ET.fromstring(f"<div>{figure}</div>")
        drawing = next(element for element in tree.iter() if element.tag == "svg")
        width, height = float(drawing.attrib["width"]), float(drawing.attrib["height"])
        for element in drawing.iter("path"):
            for kind, numbers in re.findall(r"([MLHV])([^MLHVZ]+)", element.attrib["d"]):
                along = [float(number) for number in numbers.split()]
                assert all(0 <= x <= width for x in along[:1] if kind in "MLH")
                assert all(0 <= y <= height for y in along[-1:] if kind in "MLV")
        for element in drawing.iter("rect"):
            x, y, across, down = (float(element.attrib[name]) for name in ("x", "y", "width", "height"))
            assert x >= 0 <= y
            assert x + across <= width
            assert y + down <= height


def test_a_chart_without_points_says_so() -> None:
    assert line_chart("Loss", "epoch", [Series("a", [(1, None)])]) == Markup('<p class="absent">No points.</p>')


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 8))
def test_ticks_are_round_even_and_inside(low: float, width: float, about: int) -> None:
    high = low + width
    found = ticks(low, high, about)
    slack = width * 1e-6 + abs(low) * 1e-9
    assert all(low - slack <= tick <= high + slack for tick in found)
    assert len(found) <= about + 2
    steps = [b - a for a, b in pairwise(found)]
    assert all(step == pytest.approx(steps[0], rel=1e-3, abs=slack) for step in steps)
    if len(found) > 1 and width > 1e-3 * abs(low):
        assert len(set(alike(found))) == len(found)


def test_numbers_read_well() -> None:
    assert [readable(value) for value in (0, 2400, 0.5, 1.0, 12.3456, 1234.5, 0.00031, 0.0, 21.0)] == [
        "0",
        "2,400",
        "0.500",
        "1.000",
        "12.35",
        "1,234",
        "3.1e-4",
        "0.000",
        "21",
    ]
    assert (counted(1, "guide"), counted(2, "guide")) == ("1 guide", "2 guides")


@st.composite
def graphs(draw_: Any) -> list[GraphStage]:
    count = draw_(st.integers(1, 9))
    stages = []
    for number in range(count):
        reads = draw_(st.sets(st.integers(0, number - 1))) if number else set()
        stages.append(GraphStage(f"s{number}", "", "", tuple(f"s{read}" for read in sorted(reads)), (), {}))
    return stages


def reachable(edges: set[tuple[str, str]], source: str) -> set[str]:
    found: set[str] = set()
    front = {source}
    while front:
        front = {target for start, target in edges if start in front} - found
        found |= front
    return found


@given(graphs())
def test_stages_stand_right_of_what_they_read_and_only_implied_arrows_are_left_out(stages: list[GraphStage]) -> None:
    layout = Layout(stages)
    for stage in stages:
        assert all(layout.place[read][0] < layout.place[stage.name][0] for read in stage.reads)
    assert len(set(layout.place.values())) == len(stages)
    every, drawn = {(read, stage.name) for stage in stages for read in stage.reads}, set(layout.edges)
    assert drawn <= every
    for stage in stages:
        assert reachable(drawn, stage.name) == reachable(every, stage.name)
    for edge in drawn:
        assert edge[1] not in reachable(drawn - {edge}, edge[0])
    ET.fromstring(str(draw(stages)))
