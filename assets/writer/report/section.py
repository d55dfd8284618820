"""How well the writer writes: beside its baselines, with how sure it is, and what it wrote for some images."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from assets.report.charts.charts import reliability_diagram
from assets.report.charts.intervals import Estimate, interval_chart
from assets.report.charts.svg import counted, readable
from assets.report.collection import data_url
from assets.report.parameters import ReportParameters
from assets.report.report_data import ReportData
from heddle.families.family import Family

STAGE = "writer_evaluation"
MODEL = "writer"
SYSTEMS = {  # of the evaluation, in its order -> the same for a person
    "full": "the writer",
    "image_only": "image only",
    "no_scene_graph": "without scene graph",
    "nearest_neighbour": "nearest image's",
    "template": "template",
    "seller": "the seller",
}
VIEWS = ("full", "image_only")
"""Systems whose certainty and errors are told."""
RIGHT = {
    "item_recall": "item",
    "material_recall": "material",
    "colour_recall": "colour",
    "relations_recall": "relations",
}
LIKE = {  # measure of a text's words -> for a person
    "bleu": "BLEU",
    "rouge_1": "ROUGE-1",
    "rouge_2": "ROUGE-2",
    "rouge_l": "ROUGE-L",
    "bert_score": "BERTScore",
    "clip_score": "CLIPScore",
    "distinct_1": "distinct-1",
    "distinct_2": "distinct-2",
    "valid_rate": "valid",
    "alt_text_length": "characters",
}
WITH_INTERVAL = ("bleu", "bert_score", "clip_score")
TEXTS = {"sellers": "sellers', half of them changed", "own": "its own"}
BY = {"head": "its head for errors", "likelihood": "unlikely words"}
CHARTS = {"attributes_recall": "item, material and colour right", "bleu": "BLEU"}
GAINS = {  # measure -> what is compared
    "attributes_recall": "attributes recall",
    "bleu": "BLEU",
    "relations_recall": "relations recall",
}

Row = Mapping[str, Any]


def writing(data: ReportData, family: Family, parameters: ReportParameters) -> dict[str, Any]:
    """The content of the section."""
    plots = data.plots[STAGE]
    systems = _by(plots.get("systems", []), "system")
    return {
        "skipped": data.skipped.get(MODEL) or data.skipped.get(STAGE),
        "words": f"{counted(int(data.metrics[STAGE].get('test_listings', 0)), 'listing')} of the test split; "
        "no training has seen them.",
        "confidence": data.confidence,
        "right": RIGHT,
        "with_interval": WITH_INTERVAL,
        "like": {key: name for key, name in LIKE.items() if any(key in _values(rows) for rows in systems.values())},
        "systems": [_system(name, rows) for name, rows in systems.items()],
        "charts": list(_charts(systems)),
        "gains": [_gain(row) for row in plots.get("differences", [])],
        "reliability": [_reliability(view, plots) for view in VIEWS if plots.get(f"{view}_reliability")],
        "errors": _errors(plots.get("error_detection", [])),
        "examples": [
            _listing(rows, data) for rows in list(_by(data.examples[STAGE], "id").values())[: parameters.queries]
        ],
        "mistakes": [
            _listing(rows, data) for rows in list(_by(data.mistakes[STAGE], "id").values())[: parameters.queries]
        ],
    }


def _values(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Measure -> its value and its interval, if it has one."""
    return {row["metric"]: {"value": float(row["value"]), "interval": _interval(row)} for row in rows if row["value"]}


def _system(name: str, rows: Sequence[Row]) -> dict[str, Any]:
    values = _values(rows)
    return {
        "name": SYSTEMS[name],
        "own": name == "full",
        "right": [
            {"told": values.get(key), "precision": values.get(f"{kind}_precision")} for key, kind in RIGHT.items()
        ],
        "like": values,
    }


def _charts(systems: Mapping[str, Sequence[Row]]) -> Iterator[Markup]:
    """One dot for each system but the seller, with whose own text it is compared."""
    for measure, title in CHARTS.items():
        told = {name: _values(rows).get(measure) for name, rows in systems.items() if name != "seller"}
        estimates = [Estimate(SYSTEMS[name], one["value"], one["interval"]) for name, one in told.items() if one]
        if estimates:
            yield interval_chart(title[:1].upper() + title[1:], title, estimates)


def _gain(row: Row) -> dict[str, Any]:
    low, high = float(row["low"]), float(row["high"])
    return {
        "system": SYSTEMS[row["system"]],
        "other": SYSTEMS[row["baseline"]],
        "measure": GAINS[row["metric"]],
        "difference": f"{float(row['difference']):+.3f}",
        "interval": (low, high),
        "sure": not low <= 0 <= high,
    }


def _reliability(view: str, plots: Mapping[str, Sequence[Row]]) -> Markup:
    rows = [{name: float(value) for name, value in row.items()} for row in plots[f"{view}_reliability"]]
    return reliability_diagram(f"How often nothing is wrong: {SYSTEMS[view]}", rows)


def _errors(rows: Sequence[Row]) -> dict[str, Any]:
    """One row for each way of asking and each writer of texts, one column for each kind of mistake."""
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    groups = _by([{**row, "group": (row["system"], row["texts"], row["detector"])} for row in rows], "group")
    return {
        "kinds": kinds,
        "rows": [
            {
                "view": SYSTEMS[inside[0]["system"]],
                "texts": TEXTS[inside[0]["texts"]],
                "by": BY[inside[0]["detector"]],
                "cells": [next((_cell(row) for row in inside if row["kind"] == kind), None) for kind in kinds],
            }
            for inside in groups.values()
        ],
    }


def _cell(row: Row) -> dict[str, Any]:
    known = float(row["auroc"]) if row["auroc"] else None
    return {"auc": known, "interval": _interval(row), "wrong": int(row["errors"]), "count": int(row["count"])}


def _listing(rows: Sequence[Row], data: ReportData) -> dict[str, Any]:
    """What was written for one listing; with the index's image, which is larger, if it has one."""
    first = rows[0]
    indexed = data.by_id.get(first["id"])
    return {
        "jpeg": data_url(indexed["thumbnail"] if indexed else None) or data_url(first["image"]),
        "alt": first["seller"] or first["id"],
        "seller": first["seller"],
        "views": [_view(row) for row in rows],
    }


def _view(row: Row) -> dict[str, Any]:
    sure = [] if row["certainty"] is None else [f"{row['certainty'] * 100:.0f} % sure"]
    told = [] if row["clip_score"] is None else [f"CLIPScore {readable(row['clip_score'])}"]
    return {
        "name": SYSTEMS[row["system"]],
        "sure": ", ".join(sure + told),
        "alt_text": row["alt_text"],
        "title": row["title"],
        "tags": row["tags"],
        "marks": [_mark(claim) for claim in row["claims"]],
    }


def _mark(claim: Row) -> dict[str, str]:
    """A statement in a few words, told by a sign and a colour."""
    said, actual = claim["claimed"], claim["actual"]
    if claim["correct"]:
        return {"kind": "right", "sign": "✓", "words": said}
    if said is None:
        return {"kind": "unsaid", "sign": "○", "words": f"{actual} not said"}
    return {"kind": "wrong", "sign": "✗", "words": f"{said}, but {actual}" if actual else said}


def _interval(row: Row) -> tuple[float, float] | None:
    return (float(row["low"]), float(row["high"])) if row["low"] and row["high"] else None


def _by(rows: Sequence[Row], key: str) -> dict[Any, list[Row]]:
    """The rows by one column, in the order in which its values come first."""
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found
