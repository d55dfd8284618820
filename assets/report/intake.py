"""What came in, what was refused and why: counts that add up."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from assets.report.collection import data_url
from assets.report.report_data import Facts


@dataclass(frozen=True)
class Flow:
    """Where the listings went: ``fetched`` is the sum of the other three."""

    accepted: int
    refused: int
    duplicates: int

    @property
    def fetched(self) -> int:
        """All that a source brought."""
        return self.accepted + self.refused + self.duplicates


def flow(facts: Facts, source: str | None = None) -> Flow:
    """The listings of one source, or of all. Each record that came in is one row of exactly one of three tables."""

    def count(rows: Iterable[Mapping[str, Any]]) -> int:
        return sum(source is None or _source(row["id"]) == source for row in rows)

    return Flow(count(facts.listings), count(refused_listings(facts)), count(facts.duplicates))


def refused_listings(facts: Facts) -> list[Mapping[str, Any]]:
    """The listings in the quarantine."""
    return [row for row in facts.quarantine if row["table"] == "listings"]


def intake(facts: Facts, examples: int) -> dict[str, Any]:
    """What the template `intake` shows."""
    reasons, tables = _reasons(facts), _tables(facts)
    kinds = Counter(row["kind"] for row in facts.duplicates)
    listings = [*facts.listings, *facts.duplicates, *refused_listings(facts)]
    sources = sorted({_source(row["id"]) for row in listings})
    return {
        "sources": [{"name": source, **_row(flow(facts, source))} for source in sources],
        "total": _row(flow(facts)),
        "reasons": reasons,
        "most": max((row["count"] for row in reasons), default=0),
        "duplicates": [_duplicate(row, facts) for row in facts.duplicates[:examples]],
        "duplicate_words": ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())),
        "tables": [row for row in tables if row["accepted"] or row["refused"]],
        "absent_tables": [row["name"] for row in tables if not row["accepted"] and not row["refused"]],
        "refusing": [row for row in facts.expectations if row["failed"]],
        "met": [row for row in facts.expectations if row["evaluated"] and not row["failed"]],
        "idle_expectations": sum(not row["evaluated"] for row in facts.expectations),
    }


def _reasons(facts: Facts) -> list[dict[str, Any]]:
    """Most frequent reason first, each with its first record as an example."""
    rows: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in facts.quarantine:
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


def _tables(facts: Facts) -> list[dict[str, Any]]:
    refused = Counter(row["table"] for row in facts.quarantine)
    return [
        {"name": name, "accepted": count, "refused": refused[name]}
        for name, count in facts.accepted.items()
        if name != "listings"
    ]


def _duplicate(row: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    kept = facts.by_id.get(row["original"])  # not there if the one that was kept was refused later
    return {**row, **({"jpeg": data_url(kept["thumbnail"]), "alt": row["original"]} if kept else {"jpeg": ""})}


def _row(total: Flow) -> dict[str, int]:
    return {
        "fetched": total.fetched,
        "accepted": total.accepted,
        "refused": total.refused,
        "duplicates": total.duplicates,
    }


def _source(record_id: str) -> str:
    return record_id.partition(":")[0]


def _cut(words: str, letters: int = 180) -> str:
    return words if len(words) <= letters else words[: letters - 1].rstrip() + "…"
