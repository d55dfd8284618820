"""The section of ``writer``: the writer beside its baselines, calibration, error detection and examples."""

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
SYSTEMS = {  # system of the evaluation, in its order -> its name on the page
    "full": "writer",
    "image_only": "writer, image only",
    "no_scene_graph": "writer, no scene graph",
    "nearest_neighbour": "nearest training image",
    "template": "template",
    "seller": "seller",
}
CALIBRATED_SYSTEMS = ("full", "image_only")
FACTS = {  # metric -> its column
    "item_recall": "item",
    "material_recall": "material",
    "colour_recall": "colour",
    "relations_recall": "relations",
}
TEXT_METRICS = {
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
TEXTS = {"sellers": "sellers', half with one replaced word", "own": "generated"}
DETECTORS = {"head": "error detection head", "likelihood": "low likelihood"}
CHARTS = {"attributes_recall": "Recall of item, material and colour", "bleu": "BLEU"}
COMPARED = {  # metric of the paired differences -> its name
    "attributes_recall": "attribute recall",
    "bleu": "BLEU",
    "relations_recall": "relation recall",
}

Row = Mapping[str, Any]


def writing(data: ReportData, family: Family, parameters: ReportParameters) -> dict[str, Any]:
    """The content of the section."""
    plots = data.plots[STAGE]
    systems = _by(plots.get("systems", []), "system")
    return {
        "skipped": data.skipped.get(family.name) or data.skipped.get(STAGE),
        "words": f"Measured on {counted(int(data.metrics[STAGE].get('test_listings', 0)), 'test listing')}.",
        "confidence": data.confidence,
        "facts": FACTS,
        "with_interval": WITH_INTERVAL,
        "text_metrics": {
            key: name for key, name in TEXT_METRICS.items() if any(key in _values(rows) for rows in systems.values())
        },
        "systems": [_system(name, rows) for name, rows in systems.items()],
        "charts": list(_charts(systems)),
        "gains": [_gain(row) for row in plots.get("differences", [])],
        "reliability": [
            _reliability(system, plots) for system in CALIBRATED_SYSTEMS if plots.get(f"{system}_reliability")
        ],
        "errors": _errors(plots.get("error_detection", [])),
        "examples": [
            _listing(rows, data) for rows in list(_by(data.examples[STAGE], "id").values())[: parameters.queries]
        ],
        "mistakes": [
            _listing(rows, data) for rows in list(_by(data.mistakes[STAGE], "id").values())[: parameters.queries]
        ],
    }


def _values(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Metric -> its value and its interval, None without one."""
    return {row["metric"]: {"value": float(row["value"]), "interval": _interval(row)} for row in rows if row["value"]}


def _system(name: str, rows: Sequence[Row]) -> dict[str, Any]:
    values = _values(rows)
    return {
        "name": SYSTEMS[name],
        "own": name == "full",
        "facts": [
            {"recall": values.get(key), "precision": values.get(f"{kind}_precision")} for key, kind in FACTS.items()
        ],
        "text_metrics": values,
    }


def _charts(systems: Mapping[str, Sequence[Row]]) -> Iterator[Markup]:
    """One estimate for each system except the seller, whose own text is the reference."""
    for metric, title in CHARTS.items():
        found = {name: _values(rows).get(metric) for name, rows in systems.items() if name != "seller"}
        estimates = [Estimate(SYSTEMS[name], one["value"], one["interval"]) for name, one in found.items() if one]
        if estimates:
            yield interval_chart(title, title, estimates)


def _gain(row: Row) -> dict[str, Any]:
    low, high = float(row["low"]), float(row["high"])
    return {
        "system": SYSTEMS[row["system"]],
        "other": SYSTEMS[row["baseline"]],
        "metric": COMPARED[row["metric"]],
        "difference": f"{float(row['difference']):+.3f}",
        "interval": (low, high),
        "significant": not low <= 0 <= high,
    }


def _reliability(system: str, plots: Mapping[str, Sequence[Row]]) -> Markup:
    rows = [{name: float(value) for name, value in row.items()} for row in plots[f"{system}_reliability"]]
    return reliability_diagram(f"Reliability: {SYSTEMS[system]}", rows)


def _errors(rows: Sequence[Row]) -> dict[str, Any]:
    """One row for each system, source of texts and detector; one column for each kind of error."""
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    groups = _by([{**row, "group": (row["system"], row["texts"], row["detector"])} for row in rows], "group")
    return {
        "kinds": kinds,
        "rows": [
            {
                "view": SYSTEMS[found[0]["system"]],
                "texts": TEXTS[found[0]["texts"]],
                "by": DETECTORS[found[0]["detector"]],
                "cells": [next((_cell(row) for row in found if row["kind"] == kind), None) for kind in kinds],
            }
            for found in groups.values()
        ],
    }


def _cell(row: Row) -> dict[str, Any]:
    auroc = float(row["auroc"]) if row["auroc"] else None
    return {"auroc": auroc, "interval": _interval(row), "wrong": int(row["errors"]), "count": int(row["count"])}


def _listing(rows: Sequence[Row], data: ReportData) -> dict[str, Any]:
    """The texts for one listing, with the thumbnail of the index where it has one, because it is larger."""
    first = rows[0]
    indexed = data.by_id.get(first["id"])
    return {
        "jpeg": data_url(indexed["thumbnail"] if indexed else None) or data_url(first["image"]),
        "alt": first["seller"] or first["id"],
        "seller": first["seller"],
        "views": [_view(row) for row in rows],
    }


def _view(row: Row) -> dict[str, Any]:
    details = []
    if row["certainty"] is not None:
        details.append(f"certainty {row['certainty'] * 100:.0f} %")
    if row["clip_score"] is not None:
        details.append(f"CLIPScore {readable(row['clip_score'])}")
    return {
        "name": SYSTEMS[row["system"]],
        "detail": ", ".join(details),
        "alt_text": row["alt_text"],
        "title": row["title"],
        "tags": row["tags"],
        "claims": [_claim(claim) for claim in row["claims"]],
    }


def _claim(claim: Row) -> dict[str, str]:
    """A fact that the text states or omits, with a sign and the class of its colour."""
    claimed, actual = claim["claimed"], claim["actual"]
    if claim["correct"]:
        return {"kind": "right", "sign": "✓", "text": claimed}
    if claimed is None:
        return {"kind": "unsaid", "sign": "○", "text": f"{actual} omitted"}
    return {"kind": "wrong", "sign": "✗", "text": f"{claimed}, actually {actual}" if actual else claimed}


def _interval(row: Row) -> tuple[float, float] | None:
    return (float(row["low"]), float(row["high"])) if row["low"] and row["high"] else None


def _by(rows: Sequence[Row], key: str) -> dict[Any, list[Row]]:
    """Group rows by a column, in order of first occurrence."""
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found
