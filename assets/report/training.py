"""How training went: one chart for each family of columns in the model's history."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from assets.measures import plain_name
from assets.report.charts import Series, line_chart
from assets.report.facts import Facts
from assets.report.svg import readable

X_AXIS = "epoch"
CHARTS = {  # title -> the columns that belong into it
    "Loss": ("train_loss", "validation_loss"),
    "Validation recall": (
        "validation_recall_at_1",
        "validation_recall_at_5",
        "validation_recall_at_10",
    ),
    "Learning rate": ("learning_rate",),
    "Temperature": ("temperature",),
}


def training(facts: Facts) -> dict[str, Any]:
    """What the template `training` shows."""
    columns = list(facts.history[0]) if facts.history else []
    charts = [
        _chart(title, [name for name in names if name in columns], facts.history)
        for title, names in CHARTS.items()
        if any(name in columns for name in names)
    ]
    parameters = facts.metrics["clip"].get("parameters")
    size = f", {readable(parameters)} parameters" if parameters else ""
    return {"words": f"The dual encoder clip{size}, {readable(len(facts.history))} epochs.", "charts": charts}


def _chart(title: str, columns: Sequence[str], history: Sequence[Mapping[str, float | None]]) -> Markup:
    series = [
        Series(_short(name, title), [(row[X_AXIS] or 0, row[name]) for row in history], colour)
        for colour, name in enumerate(columns)
    ]
    name = title if len(columns) > 1 else plain_name(columns[0])
    return line_chart(name, X_AXIS, series, y_range=(0, 1) if "recall" in columns[0] else None)


def _short(column: str, title: str) -> str:
    """``validation_recall_at_10`` under "Validation recall" is "at 10"."""
    words = column.replace("_", " ")
    return words.removeprefix(title.lower()).removesuffix(title.lower()).strip() or words
