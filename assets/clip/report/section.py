"""The section of ``clip``: retrieval metrics, examples, curves and the zero-shot confusion matrix."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from assets.report.charts.charts import Series, histogram, line_chart
from assets.report.charts.confusion import confusion
from assets.report.charts.svg import counted, readable
from assets.report.collection import data_url, entry, spread
from assets.report.metrics_section import metrics_table
from assets.report.parameters import ReportParameters
from assets.report.report_data import ReportData
from heddle.families.family import Family

HITS = 5  # texts shown for an image; the evaluation keeps as many images for a text


def retrieval(data: ReportData, family: Family, parameters: ReportParameters) -> dict[str, Any]:
    """The content of the section."""
    if reason := data.skipped.get("clip_evaluation"):
        return {"skipped": reason}
    test_listings = TestListings(data)
    matrix, hidden = confusion(data.plots["clip_evaluation"].get("item_confusion", []))
    twins = data.metrics["clip_evaluation"].get("duplicate_texts", 0)
    shared = (
        f" {readable(twins)} of them have the text of another listing, so no model can distinguish them."
        if twins
        else ""
    )
    return {
        "skipped": None,
        "words": f"Measured on {counted(len(test_listings.listings), 'test listing')} with text.{shared}",
        "table": metrics_table(data.metrics["clip_evaluation"]),
        "confidence": data.confidence,
        "by_text": [_example(row, data) for row in data.examples["clip_evaluation"][: parameters.queries]],
        "by_image": [test_listings.by_image(query) for query in test_listings.queries(parameters.queries)],
        "charts": _charts(data.plots["clip_evaluation"]),
        "confusion": matrix,
        "confusion_hidden": hidden,
    }


class TestListings:
    """The test listings with text, searched among themselves."""

    def __init__(self, data: ReportData) -> None:
        rows = [i for i, row in enumerate(data.listings) if row["split"] == "test" and row["text"]]
        self.listings = [data.listings[i] for i in rows]
        self._scores = data.text_embeddings[rows] @ data.image_embeddings[rows].T  # (texts, images)

    def queries(self, count: int) -> list[int]:
        """Indices of listings of different items, selected by the hash of their ids."""
        index = {listing["id"]: i for i, listing in enumerate(self.listings)}
        return [index[listing["id"]] for listing in spread(self.listings, count)]

    def by_image(self, query: int) -> dict[str, Any]:
        """The image of one listing and the nearest texts."""
        hits = np.argsort(-self._scores[:, query], kind="stable")[:HITS].tolist()
        return entry(self.listings[query]) | {
            "hits": [{"text": self.listings[hit]["text"], "right": hit == query} for hit in hits]
        }


def _example(row: Mapping[str, Any], data: ReportData) -> dict[str, Any]:
    """A text and the images retrieved for it, with the thumbnails of the index where it has them."""
    found = row["rank"] <= len(row["retrieved"])
    rank = "" if found else f"rank of its own image: {readable(row['rank'])} of {readable(row['candidates'])}"
    return {
        "text": row["query"],
        "rank": rank,
        "hits": [_hit(hit, data.by_id.get(hit["id"])) for hit in row["retrieved"]],
    }


def _hit(hit: Mapping[str, Any], listing: Mapping[str, Any] | None) -> dict[str, Any]:
    shown = entry(listing) if listing else {"labels": hit["item"] or "", "title": hit["text"] or ""}
    return {
        "right": hit["right"],
        "text": shown["labels"] or shown["title"],
        "alt": hit["text"] or hit["id"],
        "jpeg": shown.get("jpeg") or data_url(hit["image"]),
    }


def _charts(plots: Mapping[str, Any]) -> list[Markup]:
    charts = []
    if curve := plots.get("recall_curve"):
        names = list(dict.fromkeys(row["direction"] for row in curve))
        series = [
            Series(
                name,
                [(int(row["k"]), float(row["recall"])) for row in curve if row["direction"] == name],
                3 if name == "chance" else colour,
                dashed=name == "chance",
            )
            for colour, name in enumerate(names)
        ]
        charts.append(line_chart("Recall@k", "k", series, y_range=(0, 1)))
    if similarity := plots.get("similarity"):
        charts.append(_similarities(similarity))
    return charts


def _similarities(rows: Sequence[Mapping[str, str]]) -> Markup:
    """Histogram of similarities; empty bins at both ends are not shown."""
    lows = sorted({float(row["cosine"]) for row in rows})
    width = lows[1] - lows[0] if len(lows) > 1 else 0.1
    used = [float(row["cosine"]) for row in rows if float(row["share"]) > 0]
    shown = [low for low in lows if min(used, default=-1) - width / 2 < low < max(used, default=1) + width / 2]
    edges = [*shown, shown[-1] + width]
    shares = {(row["pairs"], float(row["cosine"])): float(row["share"]) for row in rows}
    names = list(dict.fromkeys(row["pairs"] for row in rows))
    groups = [(f"{name} pairs", [shares.get((name, low), 0.0) for low in shown]) for name in names]
    return histogram("Text-image similarity", "cosine", edges, groups)
