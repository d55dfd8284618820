"""How well listings are named: by their image, and by everything that they have."""

from collections.abc import Mapping, Sequence
from typing import Any

from assets.report.charts.charts import reliability_diagram
from assets.report.charts.confusion import confusion
from assets.report.collection import LABELS, data_url, entry
from assets.report.report_data import ReportData
from heddle.evaluation.measures import Measure, measures

CLASSIFIERS = {  # model -> heading, what it is
    "vision": ("By the image alone", "vision looks at the image; each label has a head of its own."),
    "product": ("By everything there is", "product weighs all that a listing has and names its product class."),
}
FIGURES = {"macro_f1": "macro F1", "weighted_f1": "weighted F1", "calibration_error": "calibration error"}


def classification(data: ReportData) -> list[dict[str, Any]]:
    """What the template `classification` shows: one classifier after the other."""
    return [_model(data, name) for name in CLASSIFIERS]


def _model(data: ReportData, name: str) -> dict[str, Any]:
    stage = f"{name}_evaluation"
    known = {measure.key: measure for measure in measures(data.metrics[stage])}
    plots, mistakes = data.plots[stage], data.mistakes[stage]
    labels = [label for label in LABELS if f"{label}_listings" in known]
    rows = [_row(label, known, "" if name == "product" else f"{label}_") for label in labels]
    return {
        "name": name,
        "title": CLASSIFIERS[name][0],
        "words": CLASSIFIERS[name][1],
        "skipped": data.skipped.get(stage),
        "figures": FIGURES,
        "rows": [row for row in rows if row["accuracy"]],
        "has_ceilings": any(row["accuracy"] and row["accuracy"].ceiling is not None for row in rows),
        "confidence": data.confidence[stage],
        "ablation": _ablation(plots.get("ablation", []), known),
        "reliability": [_reliability(label, plots) for label in labels if plots.get(f"{label}_reliability")],
        "confusions": [_confusion(label, plots) for label in labels if plots.get(f"{label}_confusion")],
        "mistakes": [found for label in labels if (found := _mistakes(label, mistakes, data))["cards"]],
    }


def _row(label: str, known: Mapping[str, Measure], prefix: str) -> dict[str, Any]:
    """The numbers of one label; None for those that were not measured."""
    return {
        "label": _plain(label),
        "listings": known[f"{label}_listings"].value,
        "accuracy": known.get(f"{prefix}accuracy"),
        "figures": [known.get(f"{prefix}{name}") for name in FIGURES],
    }


def _ablation(rows: Sequence[Mapping[str, str]], known: Mapping[str, Measure]) -> list[dict[str, Any]]:
    """What each modality is worth; with intervals and ceilings as the metrics file tells them."""
    shown = []
    for row in rows:
        seen = row["seen"]
        measure = known.get("accuracy" if seen == "all modalities" else f"{seen.replace(' ', '_')}_accuracy")
        shown.append(
            {
                "seen": seen,
                "whole": seen == "all modalities",
                "accuracy": float(row["accuracy"]),
                "interval": measure.interval if measure else None,
                "ceiling": measure.ceiling if measure else None,
                "figures": [float(row[name]) for name in FIGURES],
            }
        )
    return shown


def _reliability(label: str, plots: Mapping[str, Sequence[Mapping[str, str]]]) -> Any:
    rows = [{name: float(value) for name, value in row.items()} for row in plots[f"{label}_reliability"]]
    return reliability_diagram(f"How often the {_plain(label)} is right", rows)


def _confusion(label: str, plots: Mapping[str, Sequence[Mapping[str, str]]]) -> dict[str, Any]:
    matrix, left_out = confusion(plots[f"{label}_confusion"])
    return {"label": _plain(label), "matrix": matrix, "left_out": left_out}


def _mistakes(label: str, rows: Sequence[Mapping[str, Any]], data: ReportData) -> dict[str, Any]:
    cards = [_card(row, data.by_id.get(row["id"])) for row in rows if row["label"] == label]
    return {"label": _plain(label), "cards": cards}


def _card(row: Mapping[str, Any], listing: Mapping[str, Any] | None) -> dict[str, Any]:
    """A mistake; with the index's image, which is larger, if it has one."""
    jpeg = entry(listing)["jpeg"] if listing else ""
    return {
        "jpeg": jpeg or data_url(row["image"]),
        "alt": row["words"] or row["actual"],
        "url": listing["url"] if listing else None,
        "actual": row["actual"],
        "predicted": row["predicted"],
        "probability": row["probability"],
    }


def _plain(label: str) -> str:
    return label.replace("_", " ")
