"""Charts are well formed, stay inside their frame and show their numbers."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from assets.report.charts.charts import Mark, Series, histogram, line_chart, reliability_diagram
from assets.report.charts.confusion import confusion_matrix
from assets.report.charts.heat import heat_map
from assets.report.charts.intervals import Estimate, interval_chart
from assets.report.charts.svg import alike, counted, readable, ticks
from assets.report.positions import positions
from lightning_modules.layers.position_tables import sinusoidal_table


def test_charts_are_well_formed_and_inside_their_frame() -> None:
    lines = [Series("a <b>", [(1, 0.5), (2, None), (3, 2.0)]), Series("given", [(1, 1), (3, 1)], 1, dashed=True)]
    for figure in (
        line_chart("Loss", "epoch", lines),
        line_chart("One point", "epoch", [Series("x", [(1, 1.0)])]),
        histogram("Likeness", "cosine", [0, 0.5, 1], [("a", [1, 3]), ("b", [0, 0])]),
        confusion_matrix(["<chair>", "jar"], [[3, 1], [0, 2]]),
        line_chart("Marked", "epoch", lines, marks=[Mark(2.5, "phase <2>"), Mark(99, "never")]),
        reliability_diagram("Sure", [{"low": 0.8, "high": 1.0, "confidence": 0.9, "accuracy": 1.0, "share": 1.0}]),
        reliability_diagram("Nothing", []),
        interval_chart("Apart", "<b>", [Estimate("<a>", 0.5, (0.25, 0.5)), Estimate("b", -2.0, None)], given=0),
        interval_chart("One point", "x", [Estimate("a", 1.0, (1.0, 1.0))]),
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


def test_interval_chart_draws_insignificant_rows_hollow() -> None:
    rows = [Estimate("more", 0.2, (0.1, 0.3)), Estimate("maybe", 0.1, (-0.1, 0.3)), Estimate("bare", -0.1, None)]
    tree = ET.fromstring(f"<div>{interval_chart('Difference', 'x', rows, given=0)}</div>")
    dots = [one.attrib for one in tree.iter("circle")]
    lines = [one.attrib for one in tree.iter("line") if one.attrib["class"].startswith("whisker")]
    assert ["hollow" in dot["class"] for dot in dots] == [False, True, False]
    assert len(lines) == 2
    (zero,) = [float(one.attrib["x1"]) for one in tree.iter("line") if one.attrib["class"] == "mark"]
    scale = (float(dots[0]["cx"]) - zero) / 0.2
    assert float(dots[2]["cx"]) == pytest.approx(zero - 0.1 * scale, abs=0.02)
    for one, line in zip(rows, lines, strict=False):
        assert one.interval
        ends = [zero + end * scale for end in one.interval]
        assert [float(line["x1"]), float(line["x2"])] == pytest.approx(ends, abs=0.02)
    assert [one.text for one in tree.iter("text") if one.attrib["class"] == "count"] == ["+0.200", "+0.100", "-0.100"]


def test_chart_without_points_says_so() -> None:
    assert "No points." in interval_chart("Difference", "x", [])
    assert line_chart("Loss", "epoch", [Series("a", [(1, None)])]) == Markup('<p class="absent">No points.</p>')


def test_position_charts_show_the_tables_of_the_layers() -> None:
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


def test_readable_number_has_few_digits() -> None:
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
