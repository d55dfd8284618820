"""Images, words and graph in one space: how well one finds the other."""

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
MEASURES = {
    "recall_at_1": "recall@1",
    "recall_at_10": "recall@10",
    HEADLINE: "NDCG@10",
    "mrr_at_10": "MRR@10",
}
ALIGNED = "aligned"
PRODUCTS = "products"
WAYS = {
    ALIGNED: "aligned",
    "random projections": "random projections",
    "classes": "the image's classes",
    "labels": "the listing's labels",
}

Row = Mapping[str, str]


def alignment(data: ReportData, family: Family, parameters: ReportParameters) -> dict[str, Any]:
    """The content of the section."""
    rows = data.plots[STAGE].get("retrieval", [])
    return {
        "skipped": data.skipped.get(STAGE),
        "words": _words(data.metrics[STAGE]),
        "confidence": data.confidence,
        "measures": MEASURES,
        "charts": _charts(rows) if rows else [],
        "ways": _ways(rows),
    }


def _words(numbers: Mapping[str, float]) -> str:
    left_out = int(numbers.get("test_listings_skipped", 0))
    without = f"; {counted(left_out, 'listing')} without words or a place in the graph left out" if left_out else ""
    return f"{counted(int(numbers.get('test_listings', 0)), 'test listing')} that no projection has seen{without}."


def _charts(rows: Sequence[Row]) -> list[Markup]:
    """Every direction by the aligned space, and from images every way there is.

    Products are ranked for an image, not found in another space: they stand in a chart of their own.
    """
    headline = [row for row in rows if row["measure"] == HEADLINE]
    found = [row for row in headline if row["way"] == ALIGNED and row["to"] != PRODUCTS]
    directions = [_estimate(_direction(row), row) for row in found]
    name = MEASURES[HEADLINE]
    ends = list(dict.fromkeys((row["from"], row["to"]) for row in headline if row["way"] == "classes"))
    several = [
        interval_chart(
            f"{asked.capitalize()} to {answering}, by every way",
            name,
            [_estimate(WAYS[row["way"]], row) for row in headline if (row["from"], row["to"]) == (asked, answering)],
        )
        for asked, answering in ends
    ]
    return [interval_chart("From space to space", name, directions), *several]


def _ways(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One for each direction and way, as the table shows it; guessing after each direction's ways."""
    found: dict[tuple[str, str], dict[str, dict[str, Row]]] = {}
    for row in rows:
        found.setdefault((row["from"], row["to"]), {}).setdefault(row["way"], {})[row["measure"]] = row
    told = []
    for by_way in found.values():
        for way, by_measure in by_way.items():
            numbers = [_number(by_measure[measure]) for measure in MEASURES]
            direction = _direction(by_measure[HEADLINE]) if way == ALIGNED else ""
            told.append({"direction": direction, "name": WAYS[way], "own": way == ALIGNED, "numbers": numbers})
        guessed = [{"value": float(by_way[ALIGNED][measure]["chance"]), "interval": None} for measure in MEASURES]
        told.append({"direction": "", "name": "chance", "own": False, "numbers": guessed})
    return told


def _number(row: Row) -> dict[str, Any]:
    interval = (float(row["low"]), float(row["high"])) if row["way"] == ALIGNED else None
    return {"value": float(row["value"]), "interval": interval}


def _estimate(name: str, row: Row) -> Estimate:
    return Estimate(name, float(row["value"]), (float(row["low"]), float(row["high"])))


def _direction(row: Row) -> str:
    return f"{row['from']} to {row['to']}"
