"""How well images and words find each other: examples, curves, and the confusions of items."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from assets.report.charts.charts import Series, histogram, line_chart
from assets.report.charts.confusion import confusion
from assets.report.charts.svg import counted, readable
from assets.report.collection import data_url, entry, spread
from assets.report.parameters import ReportParameters
from assets.report.report_data import ReportData
from heddle.evaluation.measures import Measure, measures
from heddle.families.family import Family

HITS = 5  # texts shown for an image; the evaluation keeps as many images for a text


def retrieval(data: ReportData, family: Family, parameters: ReportParameters) -> dict[str, Any]:
    """The content of the section."""
    if reason := data.skipped.get("clip_evaluation"):
        return {"skipped": reason}
    numbers = list(measures(data.metrics["clip_evaluation"]))
    shelf = Shelf(data)
    matrix, left_out = confusion(data.plots["clip_evaluation"].get("item_confusion", []))
    twins = data.metrics["clip_evaluation"].get("duplicate_texts", 0)
    shared = f" {readable(twins)} of them repeat another's words, which no model can tell apart." if twins else ""
    return {
        "skipped": None,
        "words": f"On the {counted(len(shelf.listings), 'listing')} of the test split that have words; "
        f"no training has seen them.{shared}",
        "numbers": [_row(measure) for measure in numbers],
        "has_ceilings": any(measure.ceiling is not None for measure in numbers),
        "confidence": data.confidence,
        "by_words": [_example(row, data) for row in data.examples["clip_evaluation"][: parameters.queries]],
        "by_image": [shelf.by_image(query) for query in shelf.queries(parameters.queries)],
        "charts": _charts(data.plots["clip_evaluation"]),
        "confusion": matrix,
        "confusion_left_out": left_out,
    }


class Shelf:
    """The listings of the test split that have words, to be searched among themselves."""

    def __init__(self, data: ReportData) -> None:
        places = [place for place, row in enumerate(data.listings) if row["split"] == "test" and row["text"]]
        self.listings = [data.listings[place] for place in places]
        self._scores = data.text_embeddings[places] @ data.image_embeddings[places].T  # (texts, images)

    def queries(self, count: int) -> list[int]:
        """Places of listings of different items, drawn by the hash of their ids."""
        place = {listing["id"]: number for number, listing in enumerate(self.listings)}
        return [place[listing["id"]] for listing in spread(self.listings, count)]

    def by_image(self, query: int) -> dict[str, Any]:
        """The image of one listing and the words nearest to it."""
        hits = np.argsort(-self._scores[:, query], kind="stable")[:HITS].tolist()
        return entry(self.listings[query]) | {
            "hits": [{"words": self.listings[hit]["text"], "right": hit == query} for hit in hits]
        }


def _example(row: Mapping[str, Any], data: ReportData) -> dict[str, Any]:
    """Words and the images that the evaluation found for them; from the index if it has a larger thumbnail."""
    found = row["rank"] <= len(row["retrieved"])
    place = "" if found else f"its own came at place {readable(row['rank'])} of {readable(row['candidates'])}"
    return {
        "words": row["query"],
        "place": place,
        "hits": [_hit(hit, data.by_id.get(hit["id"])) for hit in row["retrieved"]],
    }


def _hit(hit: Mapping[str, Any], listing: Mapping[str, Any] | None) -> dict[str, Any]:
    shown = entry(listing) if listing else {"labels": hit["item"] or "", "title": hit["text"] or ""}
    return {
        "right": hit["right"],
        "words": shown["labels"] or shown["title"],
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
        charts.append(line_chart("Recall at k", "k, how many hits are looked at", series, y_range=(0, 1)))
    if similarity := plots.get("similarity"):
        charts.append(_similarities(similarity))
    return charts


def _similarities(rows: Sequence[Mapping[str, str]]) -> Markup:
    """Bins outside of which no pair lies are left out."""
    lows = sorted({float(row["cosine"]) for row in rows})
    width = lows[1] - lows[0] if len(lows) > 1 else 0.1
    used = [float(row["cosine"]) for row in rows if float(row["share"]) > 0]
    shown = [low for low in lows if min(used, default=-1) - width / 2 < low < max(used, default=1) + width / 2]
    edges = [*shown, shown[-1] + width]
    shares = {(row["pairs"], float(row["cosine"])): float(row["share"]) for row in rows}
    names = list(dict.fromkeys(row["pairs"] for row in rows))
    groups = [(f"{name} pairs", [shares.get((name, low), 0.0) for low in shown]) for name in names]
    return histogram("Likeness of words and images", "cosine", edges, groups)


def _row(measure: Measure) -> dict[str, Any]:
    return {
        "name": measure.name,
        "value": measure.value,
        "chance": measure.chance,
        "ceiling": measure.ceiling,
        "interval": measure.interval,
    }
