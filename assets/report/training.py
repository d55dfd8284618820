"""How training went: for each model one chart for each family of columns in its history."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from assets.report.charts.charts import Mark, Series, line_chart
from assets.report.charts.svg import counted, readable
from assets.report.report_data import Facts, History
from heddle.evaluation.measures import plain_name

X_AXIS = "epoch"
PHASE = "phase"
KINDS = {
    "clip": "The dual encoder",
    "vision": "The image classifier",
    "product": "The product classifier",
    "reranker": "The cross-encoder that orders guides",
    "base_language": "The language model that the assistant begins with",
    "assistant": "The language model that answers from guides",
    "recommender": "The graph's recommender",
    "writer": "The writer",
    "alignment": "The projections that align images, words and the graph",
}
CHARTS = {  # title -> the columns that belong into it, as a pattern
    "Loss": r"train_loss|validation_loss",
    "Validation recall": r"validation_recall_at_\d+",
    "Validation NDCG": r"validation_ndcg_at_\d+",
    "Validation accuracy": r"validation_(.+_)?accuracy",
    "Validation AUC": r"validation_auc",
    "Learning rate": r"learning_rate",
    "Temperature": r"temperature",
}
SHARES = ("Validation recall", "Validation NDCG", "Validation accuracy")


def training(facts: Facts) -> list[dict[str, Any]]:
    """What the template `training` shows: the models one after the other."""
    return [_model(facts, name) for name in KINDS]


def _model(facts: Facts, name: str) -> dict[str, Any]:
    history, parameters = facts.histories[name], facts.metrics[name].get("parameters")
    told = [KINDS[name]]
    told += [f"{readable(parameters)} parameters"] if parameters else []
    told += [counted(len(history), "epoch")] if history else []
    alone = facts.alone if name == "product" else {}
    return {
        "name": name,
        "words": ", ".join(told) + ".",
        "absent": facts.absent.get(name),
        "charts": [
            _chart(title, columns, history, alone)
            for title, pattern in CHARTS.items()
            if (columns := [column for column in (history[0] if history else ()) if re.fullmatch(pattern, column)])
        ],
    }


def _chart(title: str, columns: Sequence[str], history: History, alone: Mapping[str, History]) -> Markup:
    """One family of columns; a share that is alone in its family stands beside that of the models of one modality."""
    beside = {name: rows for name, rows in alone.items() if title in SHARES and len(columns) == 1 and rows}
    if beside:
        series = [_series("all modalities", columns[0], history, 0)]
        series += [_series(f"{name} alone", columns[0], beside[name], 1 + place) for place, name in enumerate(beside)]
    else:
        series = [_series(_short(name, title), name, history, place) for place, name in enumerate(columns)]
    name = title if len(columns) > 1 else plain_name(columns[0])
    return line_chart(name, X_AXIS, series, (0, 1) if title in SHARES else None, _phases(history))


def _series(name: str, column: str, history: History, colour: int) -> Series:
    return Series(name, [(row[X_AXIS] or 0, row.get(column)) for row in history], colour)


def _phases(history: History) -> list[Mark]:
    """Where one phase of the training ends and the next begins."""
    return [
        Mark(((before[X_AXIS] or 0) + (after[X_AXIS] or 0)) / 2, f"phase {after[PHASE]:g}")
        for before, after in pairwise(history)
        if PHASE in after and before[PHASE] != after[PHASE]
    ]


def _short(column: str, title: str) -> str:
    """``validation_recall_at_10`` under "Validation recall" is "at 10"."""
    words = column.replace("_", " ")
    for part in title.lower().split():
        words = words.removeprefix(part).removesuffix(part).strip()
    return words or column.replace("_", " ")
