"""The page: every word escaped, every part absent without harm, and nothing needed beside it."""

import re
from pathlib import Path

from assets.index.stage import index
from assets.report.stage import SECTIONS, report
from heddle.core.stage import write_json
from tests.support.report_page import Page
from tests.support.small_classifiers import NO_PRODUCT, NO_VISION
from tests.support.small_language import NO_ASSISTANT, NO_QUESTIONS, NO_RERANKER
from tests.support.small_project import HOSTILE, run, write_project


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


def test_images_and_drawings_have_words_for_those_who_cannot_see_them(page: Page) -> None:
    assert all(attributes.get("alt") for attributes in page.attributes("img"))
    drawings = list(page.attributes("svg"))
    assert drawings
    assert all(attributes.get("role") == "img" and attributes.get("aria-label") for attributes in drawings)


def test_hostile_words_stay_words(page: Page, html: str) -> None:
    assert "script" not in {tag for tag, _ in page.elements}
    assert "<script" not in html.lower()
    assert HOSTILE in page.words
    assert "54439" not in page.words  # {{ 7 * 7777 }} was not evaluated
    for _, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes)
    hrefs = [attributes["href"] or "" for attributes in page.attributes("a")]
    assert all(href.startswith(("#", "http://", "https://")) for href in hrefs)


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
        "No listing shows another's image.",
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
    for reason in (NO_VISION, NO_PRODUCT, NO_ASSISTANT):
        assert bare.words.count(reason) == 3  # summary, training, classification or answering
    assert bare.words.count(NO_QUESTIONS) == 2  # summary, finding guides
    assert bare.words.count(NO_RERANKER) == 1  # training; without questions nothing is said of ways
    assert "✗ " not in bare.section("Classification", "Finding guides")


def test_numbers_alone_are_enough_for_a_page(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    run(index, folder)
    write_json(folder / "data" / "clip_evaluation" / "metrics.json", {"text_to_image_recall_at_10": 1.0})
    assert run(report, folder)["gates_passed"] == 1
