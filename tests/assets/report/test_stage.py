"""The page as a whole: escaped, self-contained, and complete when inputs are missing."""

import re
from pathlib import Path

from assets.families import FAMILIES
from assets.index.stage import index
from assets.release.stage import release
from assets.report.stage import report
from heddle.core.stage import write_json
from tests.support.report_page import Page
from tests.support.small_classifiers import NO_PRODUCT, NO_VISION
from tests.support.small_language import NO_ASSISTANT, NO_QUESTIONS, NO_RERANKER
from tests.support.small_project import HOSTILE, run, write_project

HEADINGS = {
    "intake": "Ingest",
    "images": "Images",
    "splits": "Splits and labels",
    "training": "Training",
    **{family.name: family.section.heading for family in FAMILIES},
    "lineage": "Lineage",
    "reproduce": "Parameters and metrics",
    "positions": "Position encodings",
}


def test_page_needs_no_other_file(page: Page, html: str) -> None:
    assert next(page.attributes("html")) == {"lang": "en"}
    sources = [attributes.get("src") or "" for attributes in page.attributes("img")]
    assert sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert not list(page.attributes("link"))
    assert not re.search(r"@import|url\(", html)
    assert len(html) < 5_000_000


def test_page_has_every_section_and_links_to_it(page: Page) -> None:
    assert [attributes["id"] for attributes in page.attributes("section")] == list(HEADINGS)
    anchors = {attributes["href"] for attributes in page.attributes("a")}
    assert {f"#{name}" for name in HEADINGS} <= anchors
    for name, heading in HEADINGS.items():
        assert page.section(name).split()[: len(heading.split())] == heading.split()


def test_images_and_drawings_have_text_alternatives(page: Page) -> None:
    assert all(attributes.get("alt") for attributes in page.attributes("img"))
    drawings = list(page.attributes("svg"))
    assert drawings
    assert all(attributes.get("role") == "img" and attributes.get("aria-label") for attributes in drawings)


def test_page_with_hostile_texts_escapes_them(page: Page, html: str) -> None:
    assert "script" not in {tag for tag, _ in page.elements}
    assert "<script" not in html.lower()
    assert HOSTILE in page.words
    assert "54439" not in page.words  # {{ 7 * 7777 }} was not evaluated
    for _, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes)
    hrefs = [attributes["href"] or "" for attributes in page.attributes("a")]
    assert all(href.startswith(("#", "http://", "https://")) for href in hrefs)


def test_parameters_are_those_of_releases_and_report(page: Page) -> None:
    parameters = page.section("reproduce").partition(" Parameters Effective values")[2].partition(" Metrics ")[0]
    assert "learning_rate: 0.001" in parameters.partition(" clip augmentation: ")[2].partition(" clip_evaluation ")[0]
    assert "seed 7" in parameters
    assert "report {images: 8, examples: 4, label_values: 3, queries: 2}" in parameters
    for unused in ("compute", "threads"):
        assert unused not in parameters


def test_page_bytes_depend_on_the_inputs_only(project: Path, html: str) -> None:
    run(report, project, "report_again")
    assert (project / "data" / "report_again" / "index.html").read_text() == html
    assert str(project) not in html
    assert not re.search(r"20\d\d-\d\d-\d\d", html)


def test_page_of_a_plain_table_says_what_is_missing(bare: Page) -> None:
    assert "24 listings, 2 of 2 gates failed" in bare.head
    assert "The evaluation reports no headline metrics." in bare.head
    assert "not measured" in bare.head
    missing = {
        "intake": (
            "No record was quarantined.",
            "No listing repeats another one.",
            "The sources contain no images, guides, queries",
            "No expectations were evaluated.",
        ),
        "splits": ("No listing has a label.",),
        "training": ("The training wrote no history.",),
        "vision": (NO_VISION,),
        "product": (NO_PRODUCT,),
        "clip": (
            "The evaluation wrote no examples.",
            "The evaluation wrote no curves.",
            "The listings have no item labels",
        ),
    }
    for section, sentences in missing.items():
        for sentence in sentences:
            assert sentence in bare.section(section)
    assert [attributes["id"] for attributes in bare.attributes("section")] == list(HEADINGS)


def test_skipped_models_show_the_reason_in_every_part(bare: Page) -> None:
    for family, reason in (("vision", NO_VISION), ("product", NO_PRODUCT), ("assistant", NO_ASSISTANT)):
        assert all(reason in words for words in (bare.head, bare.section("training"), bare.section(family)))
        assert bare.words.count(reason) == 3
    assert NO_QUESTIONS in bare.head
    assert NO_QUESTIONS in bare.section("reranker")
    assert NO_RERANKER in bare.section("training")
    assert bare.words.count(NO_QUESTIONS) == 2
    assert bare.words.count(NO_RERANKER) == 1  # without questions, the section shows no configurations
    for family in ("vision", "product"):
        assert "✗ " not in bare.section(family)


def test_report_with_metrics_only_evaluates_the_gates(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project")
    run(index, folder)
    run(release, folder)
    metrics = {"text_to_image": {"recall_at_10": {"value": 1.0}}}
    write_json(folder / "data" / "clip_evaluation" / "metrics.json", metrics)
    assert run(report, folder)["gates_passed"] == 1
