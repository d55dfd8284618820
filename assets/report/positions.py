"""Charts of the position encodings, computed with the functions that the models use."""

import math
from typing import Any

from markupsafe import Markup

from assets.report.charts.charts import HEIGHT, WIDTH, Series, figure, line_chart
from assets.report.charts.heat import heat_map
from assets.report.charts.svg import drawing, element, path, text
from lightning_modules.layers.position_tables import rotary_angles, sinusoidal_table

LENGTH, SHOWN_WIDTH = 96, 48  # tokens and dimensions that the images show
DIALS = (0, 4, 8, 12)  # pairs of dimensions, from fast to slow
HANDS = 6  # positions on a dial
RADIUS = 43.0
DISTANCES, HEAD_WIDTH = 256, 64
BASES = {"base 10,000, as in the paper": 1e4, "base 500,000, for long texts": 5e5}


def positions() -> dict[str, Any]:
    """Return the content of the template `positions`."""
    table = sinusoidal_table(LENGTH, SHOWN_WIDTH).T
    return {
        "charts": [
            heat_map("Sinusoidal: what is added to a token", "position; dimensions upwards", table.tolist()),
            _cosines(),
            _dials(),
            _likeness(),
        ]
    }


def _cosines() -> Markup:
    angles = rotary_angles(LENGTH, SHOWN_WIDTH).astype(float).T
    values = [[math.cos(angle) for angle in pair] for pair in angles.tolist()]
    return heat_map("Rotary: the cosine of each pair's angle", "position; pairs of dimensions upwards", values)


def _dials() -> Markup:
    """Draw the rotary angles of a few pairs of dimensions at the first positions."""
    angles = rotary_angles(HANDS, SHOWN_WIDTH)
    across = WIDTH / len(DIALS)
    parts: list[Markup] = []
    for place, pair in enumerate(DIALS):
        x, y = across * (place + 0.5), HEIGHT / 2 - 18
        parts.append(element("circle", cx=x, cy=y, r=RADIUS, class_="rim"))
        for position, angle in enumerate(angles[:, pair].tolist()):
            end = (x + RADIUS * math.cos(angle), y - RADIUS * math.sin(angle))
            strength = (position + 1) / HANDS
            parts.append(element("g", path([(x, y), end], "line c0"), opacity=strength))
        turn = 2 * math.pi / float(angles[1, pair])
        parts.append(text(f"pair {pair}", x, y + RADIUS + 22, class_="name"))
        parts.append(text(f"{turn:,.{0 if turn >= 10 else 1}f} tokens a turn", x, y + RADIUS + 37))
    title = f"Rotary: a vector at positions 0 to {HANDS - 1}, the last one strongest"
    return figure(title, [], drawing(WIDTH, HEIGHT, f"{title}; the higher the pair, the slower it turns", *parts))


def _likeness() -> Markup:
    """Draw the mean cosine of two equal rotated vectors by their distance."""
    series = []
    for colour, (name, base) in enumerate(BASES.items()):
        angles = rotary_angles(DISTANCES, HEAD_WIDTH, base).astype(float).tolist()
        points = [(distance, sum(map(math.cos, row)) / len(row)) for distance, row in enumerate(angles)]
        series.append(Series(name, points, colour))
    return line_chart("How alike equal vectors stay", "tokens between them", series)
