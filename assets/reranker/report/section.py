"""The section of ``reranker``: all retrieval configurations, confidence bands and examples."""

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
TERMS = {  # part of a configuration's name -> its meaning
    "dense": "vector similarity",
    "bm25": "keyword search (BM25)",
    "rrf": "both rankings, reciprocal rank fusion",
    "weighted": "both rankings, weighted sum of normalized scores",
    "expanded": "with query expansion from the first guides (pseudo-relevance feedback)",
    "reranked": "first guides reordered by the reranker",
}
HEADLINE = "ndcg_at_10"
METRICS = {  # columns of the table
    HEADLINE: "NDCG@10",
    "map": "MAP",
    "mrr_at_10": "MRR@10",
    "recall_at_10": "Recall@10",
    "recall_at_100": "Recall@100",
    "precision_at_5": "Precision@5",
}
EXAMPLE_CONFIGS = ("dense", "bm25", "rrf", "rrf_reranked")
"""Configurations whose hits are shown side by side."""

Row = Mapping[str, Any]


def guides(data: ReportData, family: Family, parameters: ReportParameters) -> dict[str, Any]:
    """The content of the section."""
    configs = _by(data.plots[STAGE].get("retrieval", []), "config")
    examples = _by(data.examples[STAGE], "id")
    return {
        "skipped": data.skipped.get(STAGE),
        "no_reranker": data.skipped.get("reranker"),
        "words": _words(data),
        "terms": {part: does for part, does in TERMS.items() if any(part in config.split("_") for config in configs)},
        "charts": _charts(configs) if configs else [],
        "confidence": data.confidence,
        "metrics": METRICS,
        "configs": [{"name": _plain(config), "values": _values(rows)} for config, rows in configs.items()],
        "bounds": data.bands,
        "bands": _bands(data.plots[STAGE].get("bands", [])),
        "questions": [_question(rows) for rows in list(examples.values())[: parameters.queries]],
    }


def _words(data: ReportData) -> str:
    metrics = data.metrics[STAGE]
    questions = counted(int(metrics.get("queries", 0)), "question")
    guides = counted(int(metrics.get("guides", 0)), "guide")
    skipped = int(metrics.get("queries_without_relevant_guide", 0))
    verb = "was" if skipped == 1 else "were"
    rest = f" {counted(skipped, 'question')} without a relevant guide {verb} skipped." if skipped else ""
    return f"Measured with {questions} with relevance judgements over {guides}.{rest}"


def _charts(configs: Mapping[str, Sequence[Row]]) -> list[Markup]:
    """NDCG@10 of each configuration, and its paired difference from reciprocal rank fusion."""
    rows = {config: row for config, found in configs.items() for row in found if row["metric"] == HEADLINE}
    values = [Estimate(_plain(config), float(row["value"]), _interval(row, "")) for config, row in rows.items()]
    deltas = [  # the reference has no difference from itself
        Estimate(_plain(config), float(row["delta_vs_rrf"] or 0), _interval(row, "delta_") or (0.0, 0.0))
        for config, row in rows.items()
    ]
    name = METRICS[HEADLINE]
    return [
        interval_chart(f"{name} by configuration", name, values),
        interval_chart(f"Difference from {REFERENCE}", f"{name}, paired by question", deltas, given=0),
    ]


def _values(rows: Sequence[Row]) -> list[float | None]:
    """In the order of the table; None for metrics that were not measured."""
    known = {row["metric"]: float(row["value"]) for row in rows}
    return [known.get(metric) for metric in METRICS]


def _bands(rows: Sequence[Row]) -> dict[str, Any]:
    """For each configuration and band, the number of questions and the accuracy of the first guide."""
    names = list(dict.fromkeys(row["band"] for row in rows))
    return {
        "names": names,
        "rows": [
            {"name": _plain(config), "cells": _cells(inside, names)} for config, inside in _by(rows, "config").items()
        ],
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
    by_config = {row["config"]: row for row in rows}
    return {
        "text": rows[0]["query"],
        "configs": [_found(by_config[config]) for config in EXAMPLE_CONFIGS if config in by_config],
    }


def _found(row: Row) -> dict[str, Any]:
    hits = [{"text": hit["title"] or hit["text"], "right": (hit["relevance"] or 0) > 0} for hit in row["hits"]]
    detail = f"NDCG@10 {readable(row[HEADLINE])}, {row['band']} confidence"
    return {"name": _plain(row["config"]), "detail": detail, "hits": hits}


def _by(rows: Sequence[Row], key: str) -> dict[str, list[Row]]:
    """Group rows by a column, in order of first occurrence."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found


def _interval(row: Row, prefix: str) -> tuple[float, float] | None:
    low, high = row[f"{prefix}low"], row[f"{prefix}high"]
    return (float(low), float(high)) if low and high else None


def _plain(config: str) -> str:
    return config.replace("_", ", ")
