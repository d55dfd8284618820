"""Numbers that are compared, one under the other: a dot for each value and a line for its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from assets.report.charts.charts import WIDTH, figure
from assets.report.charts.svg import alike, drawing, element, readable, text, ticks

LEFT, RIGHT, ROW, TOP, BOTTOM = 134.0, 46.0, 22.0, 8.0, 38.0  # margins and the height of a row, in CSS pixels


@dataclass(frozen=True)
class Estimate:
    """One row.

    Attributes:
        name: before the row.
        value: where the dot stands, and behind the row.
        interval: ends of the line; None where unknown.
    """

    name: str
    value: float
    interval: tuple[float, float] | None

    def tells_from(self, given: float | None) -> bool:
        """Whether the interval leaves a given value out; so does what has no interval."""
        return given is None or self.interval is None or not self.interval[0] <= given <= self.interval[1]


def interval_chart(title: str, x_label: str, estimates: Sequence[Estimate], given: float | None = None) -> Markup:
    """Dots and their intervals on one scale.

    Args:
        title: what is to be seen; read to those who cannot see it.
        x_label: what the x axis counts.
        estimates: from top to bottom; a chart of none says so.
        given: a value that all are compared with: an upright line, and hollow dots where the interval includes it.
    """
    if not estimates:
        return Markup('<p class="absent">No points.</p>')
    ends = [end for one in estimates for end in (one.value, *(one.interval or ()))] + ([] if given is None else [given])
    air = (max(ends) - min(ends) or 1) * 0.04
    span = (min(ends) - air, max(ends) + air)
    height = TOP + ROW * len(estimates) + BOTTOM
    parts = [_axis(span, x_label, height)]
    if given is not None:
        x = _place(given, span)
        parts.append(element("line", x1=x, x2=x, y1=TOP, y2=height - BOTTOM, class_="mark"))
    parts += [_row(one, TOP + ROW * (place + 0.5), span, given) for place, one in enumerate(estimates)]
    label = f"{title}. " + "; ".join(f"{one.name}: {_words(one)}" for one in estimates)
    return figure(title, [], drawing(WIDTH, height, label, *parts))


def _row(one: Estimate, y: float, span: tuple[float, float], given: float | None) -> Markup:
    said = readable(one.value) if given is None else f"{one.value:+.3f}"
    parts = [text(one.name, LEFT - 12, y + 4, "end", "name"), text(said, WIDTH, y + 4, "end", "count")]
    if one.interval:
        low, high = (_place(end, span) for end in one.interval)
        parts.append(element("line", x1=low, x2=high, y1=y, y2=y, class_="whisker c0"))
    hollow = "" if one.tells_from(given) else " hollow"
    parts.append(element("circle", cx=_place(one.value, span), cy=y, r=4, class_=f"dot c0{hollow}"))
    return Markup("").join(parts)


def _axis(span: tuple[float, float], x_label: str, height: float) -> Markup:
    values = ticks(*span)
    parts = []
    for value, name in zip(values, alike(values), strict=True):
        x = _place(value, span)
        parts.append(element("line", x1=x, x2=x, y1=TOP, y2=height - BOTTOM, class_="grid"))
        parts.append(text(name, x, height - BOTTOM + 15))
    parts.append(text(x_label, (LEFT + WIDTH - RIGHT) / 2, height - 4, class_="axis"))
    return Markup("").join(parts)


def _place(value: float, span: tuple[float, float]) -> float:
    return LEFT + (value - span[0]) / (span[1] - span[0]) * (WIDTH - LEFT - RIGHT)


def _words(one: Estimate) -> str:
    between = f", {readable(one.interval[0])} to {readable(one.interval[1])}" if one.interval else ""
    return readable(one.value) + between
