"""The page's section on the aligned spaces."""

from assets.report.charts.svg import readable
from tests.support.report_page import Page
from tests.support.small_alignment import NO_SPACE, VALUE


def test_every_direction_and_way_stands_in_the_table_beside_chance(page: Page) -> None:
    for direction in ("graph to image", "image to text", "text to graph", "image to products"):
        assert direction in page.words
    for way in ("random projections", "the image's classes", "the listing's labels", "chance"):
        assert way in page.words
    assert readable(VALUE) in page.words
    assert readable(VALUE - 0.1) in page.words
    assert readable(VALUE + 0.1) in page.words
    assert "2 listings without words or a place in the graph left out" in page.words


def test_without_a_space_the_section_says_why(bare: Page) -> None:
    assert NO_SPACE in bare.words
