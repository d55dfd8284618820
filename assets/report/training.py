"""The section ``training``: the curves of every family's training."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from assets.families import FAMILIES
from assets.report.charts.charts import Mark, Series, line_chart
from assets.report.charts.svg import counted, readable
from assets.report.report_data import History, ReportData
from heddle.families.family import Curve, Family

X_AXIS = "epoch"
PHASE = "phase"


def training(data: ReportData) -> list[dict[str, Any]]:
    """The content of the section: one entry for each family."""
    return [_family(data, family) for family in FAMILIES]


def _family(data: ReportData, family: Family) -> dict[str, Any]:
    history, parameters = data.histories[family.name], data.metrics[family.name].get("parameters")
    facts = [family.title]
    if parameters:
        facts.append(f"{readable(parameters)} parameters")
    if history:
        facts.append(counted(len(history), "epoch"))
    return {
        "name": family.name,
        "words": ", ".join(facts) + ".",
        "skipped": data.skipped.get(family.name),
        "charts": [chart for curve in family.curves if (chart := _chart(curve, family, data)) is not None],
    }


def _chart(curve: Curve, family: Family, data: ReportData) -> Markup | None:
    """One curve; None where the history has none of its columns."""
    history = data.histories[curve.stage or family.name]
    columns = [column for column in curve.columns if history and column in history[0]]
    if not columns:
        return None
    modalities = _modality_histories(curve, family, data) if len(columns) == 1 else {}
    names = ["all modalities"] if modalities else [_plain(column) for column in columns]
    series = [_series(name, column, history, i) for i, (name, column) in enumerate(zip(names, columns, strict=True))]
    for name, rows in modalities.items():
        series.append(_series(f"{name} only", columns[0], rows, len(series)))
    return line_chart(curve.title, X_AXIS, series, (0, 1) if curve.is_share else None, _phases(history))


def _modality_histories(curve: Curve, family: Family, data: ReportData) -> Mapping[str, History]:
    """The single-modality baselines of the product classifier, beside its own validation accuracy."""
    if family.name != "product" or not curve.is_share:
        return {}
    return {name: rows for name, rows in data.modality_histories.items() if rows}


def _series(name: str, column: str, history: History, colour: int) -> Series:
    return Series(name, [(row[X_AXIS] or 0, row.get(column)) for row in history], colour)


def _phases(history: History) -> list[Mark]:
    """Marks between the epochs where one phase of the training ends and the next begins."""
    return [
        Mark(((before[X_AXIS] or 0) + (after[X_AXIS] or 0)) / 2, f"phase {after[PHASE]:g}")
        for before, after in pairwise(history)
        if PHASE in after and before[PHASE] != after[PHASE]
    ]


def _plain(column: str) -> str:
    """``validation_item_accuracy`` as "validation item accuracy"."""
    return column.replace("_", " ")
