"""The page's section on the writer."""

from pathlib import Path

from assets.report.charts.svg import readable
from assets.writer.report.section import SYSTEMS as NAMES
from tests.support.report_page import Page
from tests.support.small_project import HOSTILE
from tests.support.small_writer import NO_WRITER, SYSTEMS


def test_every_system_stands_in_both_tables_with_its_numbers(page: Page) -> None:
    words = page.section("Writing", "Recommendation")
    assert list(NAMES) == list(SYSTEMS)
    for system, right in SYSTEMS.items():
        assert words.count(NAMES[system]) >= 2
        assert f"{NAMES[system]} {readable(right)} / {readable(right)}" in words
    assert "+0.475" in words
    assert "may be chance" in words.partition("-0.125")[2][:60]
    assert "may be chance" not in words.partition("+0.475")[2][:40]


def test_doubts_and_texts_are_told_with_sign_and_words(page: Page) -> None:
    words = page.section("Writing", "Recommendation")
    told = "its head for errors 0.812 0.750 \N{EN DASH} 0.875 20 of 40"
    assert f"the writer sellers', half of them changed {told}" in words
    assert "the writer its own unlikely words too few: 2 of 24" in words
    for mark in ("✓ jar", f"✗ {HOSTILE}, but oak", "○ green not said", "✗ ball behind it"):
        assert words.count(mark) == 5  # of two listings in two views, and of one mistake
    assert "87 % sure, CLIPScore 0.750" in words
    assert words.count("How often nothing is wrong") == 2


def test_marks_have_classes_that_the_style_knows(page: Page, html: str) -> None:
    style = html.partition("<style>")[2].partition("</style>")[0]
    for kind in ("right", "wrong"):
        assert f".marks .{kind}" in style
        assert any(one.get("class") == kind for one in page.attributes("li"))


def test_without_a_writer_the_section_says_why(bare: Page, tmp_path: Path) -> None:
    assert bare.words.count(NO_WRITER) == 3  # summary, training, writing
    assert "✗ " not in bare.section("Writing", "Recommendation")
