"""What was ingested, what was quarantined and why. The counts add up."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from assets.report.collection import data_url
from assets.report.report_data import ReportData
from heddle.sources.losses import ListingCounts, find_losses


def count_listings(data: ReportData, source: str | None = None) -> ListingCounts:
    """Count the listings of one source, or of all. Each fetched record is one row of exactly one of three tables."""

    def count(rows: Iterable[Mapping[str, Any]]) -> int:
        return sum(source is None or _source(row["id"]) == source for row in rows)

    return ListingCounts(count(data.listings), count(quarantined_listings(data)), count(data.duplicates))


def quarantined_listings(data: ReportData) -> list[Mapping[str, Any]]:
    """The listings in the quarantine."""
    return [row for row in data.quarantine if row["table"] == "listings"]


def intake(data: ReportData, examples: int) -> dict[str, Any]:
    """The content of the section `intake`."""
    reasons, tables = _reasons(data), _tables(data)
    kinds = Counter(row["kind"] for row in data.duplicates)
    listings = [*data.listings, *data.duplicates, *quarantined_listings(data)]
    sources = {source: count_listings(data, source) for source in sorted({_source(row["id"]) for row in listings})}
    return {
        "sources": [{"name": source, **_row(counts)} for source, counts in sources.items()],
        "losses": list(find_losses(sources)),
        "total": _row(count_listings(data)),
        "reasons": reasons,
        "most": max((row["count"] for row in reasons), default=0),
        "duplicates": [_duplicate(row, data) for row in data.duplicates[:examples]],
        "duplicate_words": ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())),
        "tables": [row for row in tables if row["accepted"] or row["quarantined"]],
        "empty_tables": [row["name"] for row in tables if not row["accepted"] and not row["quarantined"]],
        "failed": [row for row in data.expectations if row["failed"]],
        "passed": [row for row in data.expectations if row["evaluated"] and not row["failed"]],
        "idle_expectations": sum(not row["evaluated"] for row in data.expectations),
    }


def _reasons(data: ReportData) -> list[dict[str, Any]]:
    """Most frequent reason first, each with its first record as an example."""
    rows: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in data.quarantine:
        rows.setdefault((row["table"], row["reason"]), []).append(row)
    order = sorted(rows.items(), key=lambda entry: (entry[0][0] != "listings", -len(entry[1]), entry[0]))
    return [
        {
            "table": table,
            "reason": reason,
            "count": len(found),
            "id": found[0]["id"],
            "origin": found[0]["origin"],
            "detail": _cut(found[0]["detail"]),
        }
        for (table, reason), found in order
    ]


def _tables(data: ReportData) -> list[dict[str, Any]]:
    quarantined = Counter(row["table"] for row in data.quarantine)
    return [
        {"name": name, "accepted": count, "quarantined": quarantined[name]}
        for name, count in data.accepted.items()
        if name != "listings"
    ]


def _duplicate(row: Mapping[str, Any], data: ReportData) -> dict[str, Any]:
    kept = data.by_id.get(row["original"])  # not there if the one that was kept was refused later
    return {**row, **({"jpeg": data_url(kept["thumbnail"]), "alt": row["original"]} if kept else {"jpeg": ""})}


def _row(total: ListingCounts) -> dict[str, int]:
    return {
        "fetched": total.fetched,
        "accepted": total.accepted,
        "quarantined": total.quarantined,
        "duplicates": total.duplicates,
    }


def _source(record_id: str) -> str:
    return record_id.partition(":")[0]


def _cut(words: str, letters: int = 180) -> str:
    return words if len(words) <= letters else words[: letters - 1].rstrip() + "…"
