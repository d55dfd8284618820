"""Points in a plane, coloured by what they are."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from assets.report.charts.charts import HEIGHT, WIDTH, Series, figure
from assets.report.charts.svg import counted, drawing, element

MARGIN, RADIUS = 8.0, 2.6  # pixels

Point = tuple[float, float, str]
"""x, y and what to call it."""


def scatter(title: str, groups: Mapping[str, Sequence[Point]]) -> Markup:
    """Groups of points without axes, since the units of the plane mean nothing; the smallest group lies on top.

    Args:
        title: what is to be seen.
        groups: name to points; at least one point in all.
    """
    points = [point for group in groups.values() for point in group]
    xs, ys = [x for x, _, _ in points], [y for _, y, _ in points]
    across, up = (max(xs) - min(xs)) or 1, (max(ys) - min(ys)) or 1
    colours = {name: colour for colour, name in enumerate(groups)}
    dots = [
        element(
            "circle",
            element("title", words),
            cx=MARGIN + (x - min(xs)) / across * (WIDTH - 2 * MARGIN),
            cy=HEIGHT - MARGIN - (y - min(ys)) / up * (HEIGHT - 2 * MARGIN),
            r=RADIUS,
            class_=f"dot c{colours[name]}",
        )
        for name, group in sorted(groups.items(), key=lambda pair: -len(pair[1]))
        for x, y, words in group
    ]
    legend = [Series(name, [], colour) for name, colour in colours.items()]
    label = f"{title}: " + ", ".join(counted(len(group), name) for name, group in groups.items())
    return figure(title, legend, drawing(WIDTH, HEIGHT, label, *dots))
