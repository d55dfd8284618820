"""What the listings are: a contact sheet, their splits, their labels."""

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from assets.report.charts.svg import readable
from assets.report.report_data import ReportData
from heddle.core.splits import SPLITS

LABELS = {"item": "Items", "material": "Materials", "bin": "Bins", "product_class": "Product classes"}


def images(data: ReportData, limit: int) -> dict[str, Any]:
    """What the template `images` shows: listings of all items in turn, drawn by the hash of their ids."""
    chosen = spread(data.listings, limit)
    words = f"{readable(len(chosen))} of {readable(len(data.listings))} accepted listings"
    varied = any(listing["item"] for listing in chosen)
    return {
        "words": f"{words}, {'one item after the other' if varied else 'drawn by the hash of their ids'}.",
        "sheet": [entry(listing) for listing in chosen],
    }


def splits(data: ReportData, limit: int) -> dict[str, Any]:
    """What the template `splits` shows."""
    sizes = Counter(listing["split"] for listing in data.listings)
    labels = [_label(data, column, name, limit) for column, name in LABELS.items()]
    return {
        "parts": [{"name": split, "count": sizes[split], "colour": colour} for colour, split in enumerate(SPLITS)],
        "labels": [label for label in labels if label["rows"]],
    }


def spread(listings: Sequence[Mapping[str, Any]], limit: int) -> list[Mapping[str, Any]]:
    """Listings of all items in turn; inside an item by the hash of the id, so that growth changes little."""
    shelves: dict[str, list[Mapping[str, Any]]] = {}
    for listing in sorted(listings, key=lambda listing: hashlib.sha256(listing["id"].encode()).digest()):
        shelves.setdefault(listing["item"] or "", []).append(listing)
    turns = [(turn, item, listing) for item, shelf in shelves.items() for turn, listing in enumerate(shelf)]
    return [listing for _, _, listing in sorted(turns, key=lambda entry: entry[:2])[:limit]]


def entry(listing: Mapping[str, Any]) -> dict[str, Any]:
    """A listing as the templates show it."""
    labels, title = label_words(listing), listing["title"] or ""
    return {
        "id": listing["id"],
        "title": title,
        "url": listing["url"],
        "labels": labels,
        "alt": labels or title or listing["id"],
        "jpeg": data_url(listing["thumbnail"]),
    }


def label_words(listing: Mapping[str, Any]) -> str:
    """``chair · oak``, as far as it is labelled."""
    return " · ".join(listing[label] for label in ("item", "material") if listing[label])


def data_url(jpeg: bytes | None) -> str:
    """The image inside the page itself."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" if jpeg else ""


def _label(data: ReportData, column: str, name: str, limit: int) -> dict[str, Any]:
    counts = Counter((listing[column], listing["split"]) for listing in data.listings if listing[column])
    totals = Counter(listing[column] for listing in data.listings if listing[column])
    shown = sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
    return {
        "name": name,
        "kinds": len(totals),
        "labelled": sum(totals.values()),
        "most": max(totals.values(), default=1),
        "rows": [
            {
                "value": value,
                "count": count,
                "parts": [
                    {"name": split, "count": counts[value, split], "colour": colour}
                    for colour, split in enumerate(SPLITS)
                ],
            }
            for value, count in shown
        ],
    }
