"""Heat maps of values in [-1, 1]: few paths, one for each shade, so that they stay small."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from assets.report.charts.charts import HEIGHT, WIDTH, Frame, axes, figure
from assets.report.charts.svg import drawing, element, short

SHADES = 8  # on each side of zero


def heat_map(title: str, x_label: str, values: Sequence[Sequence[float]]) -> Markup:
    """A cell for each value; colour is the sign, strength the size. Rows go up, columns to the right.

    Args:
        title: what is to be seen.
        x_label: what columns and rows count.
        values: rows of equal length.
    """
    frame = Frame((0, len(values[0])), (0, len(values)))
    runs: dict[int, list[str]] = {}
    for row, line in enumerate(values):
        start = 0
        for column in range(1, len(line) + 1):
            if column == len(line) or _shade(line[column]) != _shade(line[start]):
                runs.setdefault(_shade(line[start]), []).append(_cell(frame, row, start, column))
                start = column
    shades = [
        element(
            "path", d="".join(cells), class_=f"heat {'c0' if shade > 0 else 'c1'}", fill_opacity=abs(shade) / SHADES
        )
        for shade, cells in sorted(runs.items())
        if shade
    ]
    label = f"{title}. {len(values)} rows of {len(values[0])} values between -1 and 1"
    return figure(title, [], drawing(WIDTH, HEIGHT, label, axes(frame, x_label, whole=True), *shades))


def _shade(value: float) -> int:
    """-SHADES to SHADES."""
    return math.floor(min(1.0, max(-1.0, value)) * SHADES + 0.5)


def _cell(frame: Frame, row: int, start: int, end: int) -> str:
    left, bottom = frame.place(start, row)
    right, top = frame.place(end, row + 1)
    return f"M{short(left)} {short(bottom)}H{short(right)}V{short(top)}H{short(left)}Z"
