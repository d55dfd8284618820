"""Line charts, histograms and reliability diagrams as SVG, without a plotting library.

The SVG uses the page's colours, light and dark, is small, and has the same bytes on every machine.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from assets.report.charts.svg import alike, drawing, element, path, readable, short, text, ticks

WIDTH, HEIGHT = 400.0, 226.0  # of a chart, in CSS pixels
LEFT, RIGHT, TOP, BOTTOM = 46.0, 14.0, 16.0, 40.0  # margins around the plotting area


@dataclass(frozen=True)
class Series:
    """One line of a chart; points whose y is None are left out.

    Attributes:
        name: for the legend.
        points: (x, y) in data units, in order of x.
        colour: class suffix of the style sheet's palette.
        dashed: for reference lines such as chance and upper bounds.
    """

    name: str
    points: Sequence[tuple[float, float | None]]
    colour: int = 0
    dashed: bool = False


@dataclass(frozen=True)
class Frame:
    """Data ranges of the plotting area; converts data units to pixels."""

    x: tuple[float, float]
    y: tuple[float, float]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Convert a data point to pixels."""
        across = (x - self.x[0]) / ((self.x[1] - self.x[0]) or 1)
        up = (y - self.y[0]) / ((self.y[1] - self.y[0]) or 1)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


@dataclass(frozen=True)
class Mark:
    """A vertical line with a label, at a value of the x axis."""

    x: float
    label: str


def line_chart(
    title: str,
    x_label: str,
    series: Sequence[Series],
    y_range: tuple[float, float] | None = None,
    marks: Sequence[Mark] = (),
) -> Markup:
    """Draw lines over a common x axis; several lines get a legend.

    Args:
        title: title and accessible name.
        x_label: name of the x axis.
        series: at least one; without points the chart says "No points.".
        y_range: fixed range of the y axis; otherwise that of the points.
        marks: vertical lines with labels.
    """
    points = [(x, y) for one in series for x, y in one.points if y is not None and math.isfinite(y)]
    if not points:
        return Markup('<p class="absent">No points.</p>')
    xs, ys = [x for x, _ in points], [y for _, y in points]
    frame = Frame((min(xs), max(xs)), y_range or _padded(min(ys), max(ys)))
    lines = [_mark(frame, mark) for mark in marks if frame.x[0] <= mark.x <= frame.x[1]]
    for one in series:
        known = [frame.place(x, y) for x, y in one.points if y is not None and math.isfinite(y)]
        style = f"line c{one.colour}" + (" dashed" if one.dashed else "")
        lines.append(path(known, style))
        if len(known) <= 12 and not one.dashed:
            lines += [element("circle", cx=x, cy=y, r=2.4, class_=f"dot c{one.colour}") for x, y in known]
    whole = all(x == int(x) for x in xs)
    summary = "; ".join(f"{one.name}: {_range(one)}" for one in series)
    chart = drawing(WIDTH, HEIGHT, f"{title}. {summary}", axes(frame, x_label, whole=whole), *lines)
    return figure(title, series if len(series) > 1 else [], chart)


def histogram(
    title: str, x_label: str, edges: Sequence[float], counts: Sequence[tuple[str, Sequence[float]]]
) -> Markup:
    """Draw one histogram for each group over common bins, as shares of the group.

    Args:
        title: title and accessible name.
        x_label: unit of the edges.
        edges: bin edges, one more than bins, increasing.
        counts: (name, one count for each bin) for each group.
    """
    shares = [(name, [value / (sum(values) or 1) for value in values]) for name, values in counts]
    top = max((share for _, values in shares for share in values), default=0) or 1
    frame = Frame((edges[0], edges[-1]), (0, top * 1.08))
    areas = []
    for colour, (_, values) in enumerate(shares):
        outline = [frame.place(edges[0], 0)]
        for (left, right), share in zip(pairwise(edges), values, strict=True):
            outline += [frame.place(left, share), frame.place(right, share)]
        areas.append(path([*outline, frame.place(edges[-1], 0)], f"area c{colour}"))
    legend = [Series(name, [], colour) for colour, (name, _) in enumerate(shares)]
    label = f"{title}. Mean: " + ", ".join(f"{name} {readable(_mean(edges, values))}" for name, values in shares)
    return figure(title, legend, drawing(WIDTH, HEIGHT, label, axes(frame, x_label, percent=True), *areas))


def reliability_diagram(title: str, rows: Sequence[Mapping[str, float]]) -> Markup:
    """Draw a reliability diagram: accuracy by confidence. The dashed diagonal is perfect calibration.

    Args:
        title: title and accessible name.
        rows: for each bin of confidence from `low` to `high`: mean `confidence`, `accuracy`, `share` of the answers.
    """
    frame = Frame((0, 1), (0, 1))
    bars: list[Markup] = []
    for row in rows:
        left, top = frame.place(row["low"], row["accuracy"])
        right, bottom = frame.place(row["high"], 0)
        opacity = short(0.14 + 0.6 * row["share"] ** 0.5)
        area = {"x": left + 1, "y": top, "width": right - left - 2, "height": bottom - top}
        bars.append(element("rect", **area, class_="share", fill_opacity=opacity))
    perfect = path([frame.place(0, 0), frame.place(1, 1)], "line dashed")
    dots = []
    for row in rows:
        x, y = frame.place(row["confidence"], row["accuracy"])
        dots.append(element("circle", cx=x, cy=y, r=1.6 + 4 * row["share"] ** 0.5, class_="dot c0"))
    parts = [axes(frame, "how sure it was, %", percent=True, scale=100), *bars, perfect, *dots]
    label = f"{title}. " + "; ".join(f"{row['confidence']:.0%} sure, {row['accuracy']:.0%} right" for row in rows)
    return figure(title, [], drawing(WIDTH, HEIGHT, label, *parts))


def axes(frame: Frame, x_label: str, percent: bool = False, whole: bool = False, scale: float = 1) -> Markup:
    """Draw horizontal grid lines with values, x ticks and the name of the x axis.

    Args:
        frame: the data ranges.
        x_label: name of the x axis.
        percent: the y axis counts shares.
        whole: ticks of the x axis only at whole numbers.
        scale: by which the numbers on the x axis are multiplied: 100 shows shares as per cent.
    """
    parts = []
    values = ticks(*frame.y)
    names = alike([value * 100 for value in values]) if percent else alike(values)
    for value, name in zip(values, names, strict=True):
        y = frame.place(frame.x[0], value)[1]
        parts.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
        parts.append(text(f"{name} %" if percent else name, LEFT - 8, y + 4, "end"))
    places = ticks(*frame.x, 6, least=1 if whole else 0)
    for value, name in zip(places, alike([place * scale for place in places]), strict=True):
        parts.append(text(name, frame.place(value, frame.y[0])[0], HEIGHT - BOTTOM + 17))
    parts.append(text(x_label, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 5, class_="axis"))
    return Markup("").join(parts)


def figure(title: str, legend: Sequence[Series], chart: Markup) -> Markup:
    """Return a figure: title, legend and chart."""
    entries = [
        element("span", Markup('<i class="key c{}{}"></i>{}').format(one.colour, " dashed" * one.dashed, one.name))
        for one in legend
    ]
    head = element("figcaption", element("b", title) + element("span", Markup(" ").join(entries), class_="legend"))
    return element("figure", head + chart, class_="plot")


def _mark(frame: Frame, mark: Mark) -> Markup:
    x, top = frame.place(mark.x, frame.y[1])
    line = element("line", x1=x, x2=x, y1=top, y2=HEIGHT - BOTTOM, class_="mark")
    return line + text(mark.label, x, top - 4, "start" if x < WIDTH / 2 else "end")  # never over the y axis' numbers


def _padded(low: float, high: float) -> tuple[float, float]:
    """Widen a range by 6 %; it starts at zero if the values are near zero."""
    air = (high - low or abs(high) or 1) * 0.06
    return (0.0 if 0 <= low < (high - low) * 0.6 else low - air), high + air


def _range(series: Series) -> str:
    values = [y for _, y in series.points if y is not None]
    return f"{readable(values[0])} to {readable(values[-1])}" if values else "nothing"


def _mean(edges: Sequence[float], shares: Sequence[float]) -> float:
    centres = [(left + right) / 2 for left, right in pairwise(edges)]
    return sum(centre * share for centre, share in zip(centres, shares, strict=True))
