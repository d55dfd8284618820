"""How well guides are found: every way of looking, how far it may be trusted, and what some questions find."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from assets.report.charts.intervals import Estimate, interval_chart
from assets.report.charts.svg import counted, readable
from assets.report.parameters import ReportParameters
from assets.report.report_data import ReportData
from heddle.families.family import Family

STAGE = "retrieval_evaluation"
REFERENCE = "rrf"
TERMS = {  # part of a way's name -> what it does
    "dense": "by meaning",
    "bm25": "by words (BM25)",
    "rrf": "both, joined by rank",
    "weighted": "both, joined by score",
    "expanded": "with words of the first guides found",
    "reranked": "its first guides put in order by the reranker",
}
HEADLINE = "ndcg_at_10"
MEASURES = {  # of the table
    HEADLINE: "NDCG@10",
    "map": "MAP",
    "mrr_at_10": "MRR@10",
    "recall_at_10": "recall@10",
    "recall_at_100": "recall@100",
    "precision_at_5": "precision@5",
}
SIDE_BY_SIDE = ("dense", "bm25", "rrf", "rrf_reranked")  # what a question finds: two rankings, what becomes of them

Row = Mapping[str, Any]


def guides(data: ReportData, family: Family, parameters: ReportParameters) -> dict[str, Any]:
    """The content of the section."""
    ways = _by(data.plots[STAGE].get("retrieval", []), "config")
    examples = _by(data.examples[STAGE], "id")
    return {
        "skipped": data.skipped.get(STAGE),
        "no_reranker": data.skipped.get("reranker"),
        "words": _words(data),
        "terms": {part: does for part, does in TERMS.items() if any(part in way.split("_") for way in ways)},
        "charts": _charts(ways) if ways else [],
        "confidence": data.confidence,
        "measures": MEASURES,
        "ways": [{"name": _plain(way), "values": _values(rows)} for way, rows in ways.items()],
        "bounds": data.bands,
        "bands": _bands(data.plots[STAGE].get("bands", [])),
        "questions": [_question(rows) for rows in list(examples.values())[: parameters.queries]],
    }


def _words(data: ReportData) -> str:
    numbers = data.metrics[STAGE]
    asked = counted(int(numbers.get("queries", 0)), "question")
    beside = numbers.get("queries_without_relevant_guide", 0)
    left_out = f" {counted(int(beside), 'question')} more that no guide answers are left out." if beside else ""
    among = counted(int(numbers.get("guides", 0)), "guide")
    return f"{asked} whose answers are known, put to {among} in every way of looking.{left_out}"


def _charts(ways: Mapping[str, Sequence[Row]]) -> list[Markup]:
    """What each way is worth, and how much more than reciprocal rank fusion on the same questions."""
    rows = {way: row for way, rows in ways.items() for row in rows if row["metric"] == HEADLINE}
    values = [Estimate(_plain(way), float(row["value"]), _interval(row, "")) for way, row in rows.items()]
    over = [  # the reference's own stands empty: no difference at all
        Estimate(_plain(way), float(row["delta_vs_rrf"] or 0), _interval(row, "delta_") or (0.0, 0.0))
        for way, row in rows.items()
    ]
    name = MEASURES[HEADLINE]
    return [
        interval_chart(f"{name} of every way", name, values),
        interval_chart(f"Difference from {REFERENCE}", f"{name}, question by question", over, given=0),
    ]


def _values(rows: Sequence[Row]) -> list[float | None]:
    """As the table shows them; None for what was not measured."""
    known = {row["metric"]: float(row["value"]) for row in rows}
    return [known.get(measure) for measure in MEASURES]


def _bands(rows: Sequence[Row]) -> dict[str, Any]:
    """Band by band, how many questions lie in it and how often the first guide is right; None where none lies in it."""
    names = list(dict.fromkeys(row["band"] for row in rows))
    return {
        "names": names,
        "rows": [{"name": _plain(way), "cells": _cells(inside, names)} for way, inside in _by(rows, "config").items()],
    }


def _cells(rows: Sequence[Row], names: Sequence[str]) -> list[dict[str, Any]]:
    known = {row["band"]: row for row in rows}
    return [
        {
            "queries": int(known[name]["queries"]),
            "right": float(known[name]["accuracy"]) if known[name]["accuracy"] else None,
        }
        for name in names
    ]


def _question(rows: Sequence[Row]) -> dict[str, Any]:
    by_way = {row["config"]: row for row in rows}
    return {
        "words": rows[0]["query"],
        "ways": [_found(by_way[way]) for way in SIDE_BY_SIDE if way in by_way],
    }


def _found(row: Row) -> dict[str, Any]:
    hits = [{"words": hit["title"] or hit["text"], "right": (hit["relevance"] or 0) > 0} for hit in row["hits"]]
    sure = f"NDCG@10 {readable(row[HEADLINE])}, {row['band']} confidence"
    return {"name": _plain(row["config"]), "sure": sure, "hits": hits}


def _by(rows: Sequence[Row], key: str) -> dict[str, list[Row]]:
    """The rows by one column, in the order in which its values come first."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found


def _interval(row: Row, prefix: str) -> tuple[float, float] | None:
    low, high = row[f"{prefix}low"], row[f"{prefix}high"]
    return (float(low), float(high)) if low and high else None


def _plain(way: str) -> str:
    return way.replace("_", ", ")
