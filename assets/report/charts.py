"""The page's charts: lines, histograms and a confusion matrix, as SVG without a plotting library.

Drawn by hand so that they follow the page's light and dark colours, stay small, and are the same bytes everywhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from assets.report.svg import alike, drawing, element, path, readable, short, text, ticks

WIDTH, HEIGHT = 400.0, 226.0  # of a chart, in CSS pixels
LEFT, RIGHT, TOP, BOTTOM = 46.0, 14.0, 14.0, 40.0  # margins around the plotting area


@dataclass(frozen=True)
class Series:
    """One line of a chart; points whose y is None are left out.

    Attributes:
        name: for the legend.
        points: (x, y) in data units, in order of x.
        colour: class suffix of the style sheet's palette.
        dashed: for what is given rather than measured: chance, ceilings.
    """

    name: str
    points: Sequence[tuple[float, float | None]]
    colour: int = 0
    dashed: bool = False


@dataclass(frozen=True)
class Frame:
    """Data ranges of the plotting area, and where a data point falls in it."""

    x: tuple[float, float]
    y: tuple[float, float]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Data units to pixels."""
        across = (x - self.x[0]) / ((self.x[1] - self.x[0]) or 1)
        up = (y - self.y[0]) / ((self.y[1] - self.y[0]) or 1)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


def line_chart(
    title: str, x_label: str, series: Sequence[Series], y_range: tuple[float, float] | None = None
) -> Markup:
    """Lines over a common x axis, with a legend of their names where there are several.

    Args:
        title: what is to be seen; read to those who cannot see it.
        x_label: what the x axis counts.
        series: at least one; a chart of no points says so.
        y_range: fixed range of the y axis; otherwise that of the points.
    """
    points = [(x, y) for one in series for x, y in one.points if y is not None and math.isfinite(y)]
    if not points:
        return Markup('<p class="absent">No points.</p>')
    xs, ys = [x for x, _ in points], [y for _, y in points]
    frame = Frame((min(xs), max(xs)), y_range or _padded(min(ys), max(ys)))
    lines = []
    for one in series:
        known = [frame.place(x, y) for x, y in one.points if y is not None and math.isfinite(y)]
        style = f"line c{one.colour}" + (" dashed" if one.dashed else "")
        lines.append(path(known, style))
        if len(known) <= 12 and not one.dashed:
            lines += [element("circle", cx=x, cy=y, r=2.4, class_=f"dot c{one.colour}") for x, y in known]
    whole = all(x == int(x) for x in xs)
    summary = "; ".join(f"{one.name}: {_range(one)}" for one in series)
    chart = drawing(WIDTH, HEIGHT, f"{title}. {summary}", axes(frame, x_label, whole=whole), *lines)
    return _figure(title, series if len(series) > 1 else [], chart)


def histogram(
    title: str, x_label: str, edges: Sequence[float], counts: Sequence[tuple[str, Sequence[float]]]
) -> Markup:
    """Overlaid shares over common bins, so that groups of different size can be compared.

    Args:
        title: what is to be seen.
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
    return _figure(title, legend, drawing(WIDTH, HEIGHT, label, axes(frame, x_label, percent=True), *areas))


def confusion_matrix(labels: Sequence[str], counts: Sequence[Sequence[float]]) -> Markup:
    """Rows are what it is, columns what the model said; a cell's shade is its share of the row.

    Args:
        labels: (n,) names.
        counts: (n, n) pictures.
    """
    cell, margin = 26.0, 8.0 + 6.6 * max(map(len, labels))
    size = cell * len(labels)
    parts: list[Markup] = []
    for row, (label, values) in enumerate(zip(labels, counts, strict=True)):
        y = margin + row * cell
        total = sum(values) or 1
        parts.append(text(label, margin - 8, y + cell / 2 + 4, "end"))
        parts.append(_upright(label, margin + row * cell + cell / 2 + 4, margin - 8))
        parts.append(element("rect", x=margin, y=y, width=size, height=cell - 1, class_="ground"))
        for column, value in enumerate(values):
            if value:
                kind = "right" if row == column else "wrong"
                parts += _cell(margin + column * cell, y, cell, value, value / total, kind)
    right = sum(values[row] for row, values in enumerate(counts))
    label = f"Confusion matrix of {len(labels)} labels: {readable(right)} of {readable(sum(map(sum, counts)))} right"
    return drawing(margin + size + 2, margin + size + 2, label, *parts, class_="chart wide")


def axes(frame: Frame, x_label: str, percent: bool = False, whole: bool = False) -> Markup:
    """Horizontal grid lines with their values, x ticks and the x axis' name.

    Args:
        frame: the data ranges.
        x_label: name of the x axis.
        percent: the y axis counts shares.
        whole: the x axis counts things, so that there is nothing between two whole numbers.
    """
    parts = []
    values = ticks(*frame.y)
    names = alike([value * 100 for value in values]) if percent else alike(values)
    for value, name in zip(values, names, strict=True):
        y = frame.place(frame.x[0], value)[1]
        parts.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
        parts.append(text(f"{name} %" if percent else name, LEFT - 8, y + 4, "end"))
    places = ticks(*frame.x, 6, least=1 if whole else 0)
    for value, name in zip(places, alike(places), strict=True):
        parts.append(text(name, frame.place(value, frame.y[0])[0], HEIGHT - BOTTOM + 17))
    parts.append(text(x_label, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 5, class_="axis"))
    return Markup("").join(parts)


def _figure(title: str, legend: Sequence[Series], chart: Markup) -> Markup:
    entries = [
        element("span", Markup('<i class="key c{}{}"></i>{}').format(one.colour, " dashed" * one.dashed, one.name))
        for one in legend
    ]
    head = element("figcaption", element("b", title) + element("span", Markup(" ").join(entries), class_="legend"))
    return element("figure", head + chart, class_="plot")


def _cell(x: float, y: float, cell: float, value: float, share: float, kind: str) -> list[Markup]:
    strong = " strong" if share > 0.55 else ""
    side, shade = cell - 1, short(0.12 + 0.88 * share)
    square = element("rect", x=x, y=y, width=side, height=side, class_=f"cell {kind}", fill_opacity=shade)
    return [square, text(readable(value), x + cell / 2 - 0.5, y + cell / 2 + 4, class_=f"count{strong}")]


def _upright(label: str, x: float, y: float) -> Markup:
    return element("text", label, transform=f"translate({short(x)} {short(y)}) rotate(-90)", class_="tick")


def _padded(low: float, high: float) -> tuple[float, float]:
    """The range with a little air, reaching down to zero where that is near."""
    air = (high - low or abs(high) or 1) * 0.06
    return (0.0 if 0 <= low < (high - low) * 0.6 else low - air), high + air


def _range(series: Series) -> str:
    values = [y for _, y in series.points if y is not None]
    return f"{readable(values[0])} to {readable(values[-1])}" if values else "nothing"


def _mean(edges: Sequence[float], shares: Sequence[float]) -> float:
    centres = [(left + right) / 2 for left, right in pairwise(edges)]
    return sum(centre * share for centre, share in zip(centres, shares, strict=True))
