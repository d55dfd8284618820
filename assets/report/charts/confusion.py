"""Which label a model takes for which."""

from collections import Counter
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from assets.report.charts.svg import drawing, element, readable, short, text

MOST_LABELS = 30  # more would not be readable


def confusion(rows: Sequence[Mapping[str, str]]) -> tuple[Markup | None, int]:
    """The matrix of the most frequent labels, and how many labels it leaves out; None where there are no rows."""
    if not rows:
        return None, 0
    frequency = Counter(row["actual"] for row in rows) + Counter(row["predicted"] for row in rows)
    labels = sorted(label for label, _ in sorted(frequency.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_LABELS])
    pairs = Counter((row["actual"], row["predicted"]) for row in rows)
    counts = [[pairs[actual, predicted] for predicted in labels] for actual in labels]
    return confusion_matrix(labels, counts), len(frequency) - len(labels)


def confusion_matrix(labels: Sequence[str], counts: Sequence[Sequence[float]]) -> Markup:
    """Rows are what it is, columns what the model said; a cell's shade is its share of the row.

    Args:
        labels: (n,) names.
        counts: (n, n) images.
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


def _cell(x: float, y: float, cell: float, value: float, share: float, kind: str) -> list[Markup]:
    strong = " strong" if share > 0.55 else ""
    side, shade = cell - 1, short(0.12 + 0.88 * share)
    square = element("rect", x=x, y=y, width=side, height=side, class_=f"cell {kind}", fill_opacity=shade)
    return [square, text(readable(value), x + cell / 2 - 0.5, y + cell / 2 + 4, class_=f"count{strong}")]


def _upright(label: str, x: float, y: float) -> Markup:
    return element("text", label, transform=f"translate({short(x)} {short(y)}) rotate(-90)", class_="tick")
