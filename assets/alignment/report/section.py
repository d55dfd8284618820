"""The section of ``alignment``: retrieval between the aligned spaces, beside other methods."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from assets.report.charts.intervals import Estimate, interval_chart
from assets.report.charts.svg import counted
from assets.report.parameters import ReportParameters
from assets.report.report_data import ReportData
from heddle.families.family import Family

STAGE = "alignment_evaluation"
HEADLINE = "ndcg_at_10"
METRICS = {
    "recall_at_1": "Recall@1",
    "recall_at_10": "Recall@10",
    HEADLINE: "NDCG@10",
    "mrr_at_10": "MRR@10",
}
ALIGNED = "aligned"
PRODUCTS = "products"
METHODS = {
    ALIGNED: "aligned",
    "random projections": "random projections",
    "classes": "image classes (classifier)",
    "labels": "true labels",
}

Row = Mapping[str, str]


def alignment(data: ReportData, family: Family, parameters: ReportParameters) -> dict[str, Any]:
    """The content of the section."""
    rows = data.plots[STAGE].get("retrieval", [])
    return {
        "skipped": data.skipped.get(STAGE),
        "words": _words(data.metrics[STAGE]),
        "confidence": data.confidence,
        "metrics": METRICS,
        "charts": _charts(rows) if rows else [],
        "methods": _methods(rows),
    }


def _words(numbers: Mapping[str, float]) -> str:
    skipped = int(numbers.get("test_listings_skipped", 0))
    verb = "was" if skipped == 1 else "were"
    rest = f" {counted(skipped, 'listing')} without text or graph node {verb} skipped." if skipped else ""
    return f"Measured on {counted(int(numbers.get('test_listings', 0)), 'test listing')}.{rest}"


def _charts(rows: Sequence[Row]) -> list[Markup]:
    """All directions of the aligned space, and a chart for each direction with several methods."""
    headline = [row for row in rows if row["metric"] == HEADLINE]
    found = [row for row in headline if row["method"] == ALIGNED and row["to"] != PRODUCTS]
    directions = [_estimate(_direction(row), row) for row in found]
    name = METRICS[HEADLINE]
    ends = list(dict.fromkeys((row["from"], row["to"]) for row in headline if row["method"] == "classes"))
    several = [
        interval_chart(
            f"{query.capitalize()} to {target}, by method",
            name,
            [_estimate(METHODS[row["method"]], row) for row in headline if (row["from"], row["to"]) == (query, target)],
        )
        for query, target in ends
    ]
    return [interval_chart("Retrieval between aligned spaces", name, directions), *several]


def _methods(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows of the table: the methods of each direction, then chance."""
    found: dict[tuple[str, str], dict[str, dict[str, Row]]] = {}
    for row in rows:
        found.setdefault((row["from"], row["to"]), {}).setdefault(row["method"], {})[row["metric"]] = row
    table = []
    for by_method in found.values():
        for method, by_metric in by_method.items():
            numbers = [_number(by_metric[metric]) for metric in METRICS]
            direction = _direction(by_metric[HEADLINE]) if method == ALIGNED else ""
            table.append(
                {"direction": direction, "name": METHODS[method], "own": method == ALIGNED, "numbers": numbers}
            )
        chance = [{"value": float(by_method[ALIGNED][metric]["chance"]), "interval": None} for metric in METRICS]
        table.append({"direction": "", "name": "chance", "own": False, "numbers": chance})
    return table


def _number(row: Row) -> dict[str, Any]:
    interval = (float(row["low"]), float(row["high"])) if row["method"] == ALIGNED else None
    return {"value": float(row["value"]), "interval": interval}


def _estimate(name: str, row: Row) -> Estimate:
    return Estimate(name, float(row["value"]), (float(row["low"]), float(row["high"])))


def _direction(row: Row) -> str:
    return f"{row['from']} to {row['to']}"
