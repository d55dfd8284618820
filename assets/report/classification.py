"""The section of a classifier: accuracy, modality ablation, calibration, mistakes and confusion matrices."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from assets.report.charts.charts import reliability_diagram
from assets.report.charts.confusion import confusion
from assets.report.collection import LABELS, data_url, entry
from assets.report.parameters import ReportParameters
from assets.report.report_data import ReportData
from heddle.evaluation.metric_tree import MetricTree, MetricValue, find
from heddle.families.family import Family

OTHER_METRICS = {"macro_f1": "macro F1", "weighted_f1": "weighted F1", "calibration_error": "calibration error"}
FULL = "full"
"""System of a multimodal classifier that uses all modalities."""
MULTIMODAL_LABEL = "product_class"
"""The label that the systems of a multimodal classifier predict."""

Row = Mapping[str, Any]


def classification(data: ReportData, family: Family, parameters: ReportParameters) -> dict[str, Any]:
    """The content of the section of one classifier."""
    stage = family.evaluate.name
    metrics, plots = data.metrics[stage], data.plots[stage]
    systems = {label: system for label in LABELS if (system := _system_of(label, metrics)) is not None}
    rows = [row for label, system in systems.items() if (row := _row(label, system, metrics))["accuracy"]]
    mistakes = [_mistakes(label, data.mistakes[stage], data) for label in systems]
    return {
        "summary": family.summary,
        "skipped": data.skipped.get(family.name) or data.skipped.get(stage),
        "other_metrics": OTHER_METRICS,
        "rows": rows,
        "has_upper_bounds": any(row["accuracy"].upper_bound is not None for row in rows),
        "confidence": data.confidence,
        "ablation": _ablation(metrics),
        "reliability": [_reliability(label, plots) for label in systems if plots.get(f"{label}_reliability")],
        "confusions": [_confusion(label, plots) for label in systems if plots.get(f"{label}_confusion")],
        "mistakes": [found for found in mistakes if found["cards"]],
    }


def _system_of(label: str, metrics: MetricTree) -> str | None:
    """Name of the system whose metrics are about a label; None where the evaluation has none."""
    if label == MULTIMODAL_LABEL:
        return FULL if FULL in metrics else None
    return label if label in metrics else None


def _row(label: str, system: str, metrics: MetricTree) -> dict[str, Any]:
    """The metrics of one label; None for those that were not measured."""
    listings = find(metrics, f"{system}.listings") or find(metrics, f"{label}_listings")
    return {
        "label": _plain(label),
        "listings": listings.value if listings else 0,
        "accuracy": find(metrics, f"{system}.accuracy"),
        "other_metrics": [find(metrics, f"{system}.{name}") for name in OTHER_METRICS],
    }


def _ablation(metrics: MetricTree) -> list[dict[str, Any]]:
    """The systems of a multimodal classifier: one modality only, all of them, one missing."""
    if FULL not in metrics:
        return []
    rows = []
    for system in metrics:
        accuracy = find(metrics, f"{system}.accuracy")
        if accuracy is not None:
            rows.append(_ablation_row(system, accuracy, find(metrics, f"{system}.macro_f1")))
    return sorted(rows, key=lambda row: row["accuracy"].value)


def _ablation_row(system: str, accuracy: MetricValue, macro_f1: MetricValue | None) -> dict[str, Any]:
    name = "all modalities" if system == FULL else _plain(system)
    return {"name": name, "full": system == FULL, "accuracy": accuracy, "macro_f1": macro_f1}


def _reliability(label: str, plots: Mapping[str, Sequence[Mapping[str, str]]]) -> Markup:
    rows = [{name: float(value) for name, value in row.items()} for row in plots[f"{label}_reliability"]]
    return reliability_diagram(f"Reliability: {_plain(label)}", rows)


def _confusion(label: str, plots: Mapping[str, Sequence[Mapping[str, str]]]) -> dict[str, Any]:
    matrix, hidden = confusion(plots[f"{label}_confusion"])
    return {"label": _plain(label), "matrix": matrix, "hidden": hidden}


def _mistakes(label: str, rows: Sequence[Row], data: ReportData) -> dict[str, Any]:
    cards = [_card(row, data.by_id.get(row["id"])) for row in rows if row["label"] == label]
    return {"label": _plain(label), "cards": cards}


def _card(row: Row, listing: Row | None) -> dict[str, Any]:
    """A mistake, with the thumbnail of the index where the listing has one, because it is larger."""
    jpeg = entry(listing)["jpeg"] if listing else ""
    return {
        "jpeg": jpeg or data_url(row["image"]),
        "alt": row["text"] or row["actual"],
        "url": listing["url"] if listing else None,
        "actual": row["actual"],
        "predicted": row["predicted"],
        "probability": row["probability"],
    }


def _plain(name: str) -> str:
    return name.replace("_", " ")
