"""The section of the writer."""

from assets.report.charts.svg import readable
from assets.writer.report.section import SYSTEMS as NAMES
from tests.support.report_page import Page
from tests.support.small_project import HOSTILE
from tests.support.small_writer import NO_WRITER, SYSTEMS


def test_writer_tables_show_every_system(page: Page) -> None:
    words = page.section("writer")
    facts, _, texts = words.partition(" Text metrics ")
    assert list(NAMES) == list(SYSTEMS)
    for system, value in SYSTEMS.items():
        low, high = round(value - 0.05, 6), round(value + 0.05, 6)
        interval = f"{readable(low)} \N{EN DASH} {readable(high)}"
        recall = f"{readable(value)} {interval}"
        assert f"{NAMES[system]} {readable(value)} / {recall} {recall}" in facts  # item, relations
        valid = "" if system == "no_scene_graph" else f" {readable(value)}"
        assert f"{NAMES[system]} {recall} {recall}{valid}" in texts  # BLEU, CLIPScore, valid outputs


def test_writer_differences_mark_those_not_significant(page: Page) -> None:
    words = page.section("writer")
    assert "writer nearest training image attribute recall +0.475 0.400 \N{EN DASH} 0.550" in words
    assert "writer, image only template BLEU -0.125 -1.500 \N{EN DASH} 1.250 not significant" in words
    assert "not significant" not in words.partition("+0.475")[2].partition("-0.125")[0]


def test_writer_shows_error_detection_and_claims(page: Page) -> None:
    words = page.section("writer")
    auroc = "error detection head 0.812 0.750 \N{EN DASH} 0.875 20 of 40"
    assert f"writer sellers', half with one replaced word {auroc}" in words
    assert "writer generated low likelihood too few: 2 of 24" in words
    for claim in ("✓ jar", f"✗ {HOSTILE}, actually oak", "○ green omitted", "✗ ball behind it"):
        assert words.count(claim) == 5  # of two listings by two systems, and of one mistake
    assert "certainty 87 %, CLIPScore 0.750" in words
    labels = [one["aria-label"] or "" for one in page.attributes("svg")]
    for system in ("writer", "writer, image only"):
        assert sum(label.startswith(f"Reliability: {system}.") for label in labels) == 1


def test_writer_claims_have_classes_of_the_style_sheet(page: Page, html: str) -> None:
    style = html.partition("<style>")[2].partition("</style>")[0]
    assert any(one.get("class") == "claims" for one in page.attributes("ul"))
    for kind in ("right", "wrong"):
        assert f".claims .{kind}" in style
        assert any(one.get("class") == kind for one in page.attributes("li"))


def test_writer_that_is_skipped_shows_the_reason(bare: Page) -> None:
    for words in (bare.head, bare.section("training"), bare.section("writer")):
        assert words.count(NO_WRITER) == 1
    assert bare.words.count(NO_WRITER) == 3
    assert "✗ " not in bare.section("writer")
