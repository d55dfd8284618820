"""The section of the aligned embedding spaces."""

from assets.report.charts.svg import readable
from tests.support.report_page import Page
from tests.support.small_alignment import CHANCE, NO_SPACE, VALUE

METRICS = 4  # columns of the table


def test_alignment_table_shows_directions_methods_and_chance(page: Page) -> None:
    words = page.section("alignment")
    value, interval = readable(VALUE), f"{readable(VALUE - 0.1)} \N{EN DASH} {readable(VALUE + 0.1)}"
    own, other = f"{value} {interval} " * METRICS, f"{value} " * METRICS
    for direction in ("graph to image", "image to text", "text to graph", "image to products"):
        assert f"{direction} aligned {own}" in words
    for method in ("random projections", "image classes (classifier)", "true labels"):
        assert f" {method} {other}" in words
    assert "chance " + f"{readable(CHANCE)} " * METRICS in words


def test_alignment_section_counts_test_and_skipped_listings(page: Page) -> None:
    expected = "Measured on 8 test listings. 2 listings without text or graph node were skipped."
    assert expected in page.section("alignment")


def test_alignment_without_a_space_shows_the_reason(bare: Page) -> None:
    assert NO_SPACE in bare.section("alignment")
