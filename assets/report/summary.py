"""The top of the page: how many listings, whether the gates passed, the headline metrics of each model."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from assets.families import FAMILIES
from assets.report.charts.svg import counted, readable
from assets.report.intake import count_listings
from assets.report.report_data import ReportData
from heddle.evaluation.gates import Verdict
from heddle.evaluation.metric_names import plain_name
from heddle.evaluation.metric_tree import MetricValue, find
from heddle.families.family import Family
from heddle.sources.losses import ListingCounts

SIGNS = {"at least": "gate ≥", "at most": "gate ≤"}


def summary(data: ReportData, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The content of the page's head."""
    total = count_listings(data)
    models = [_model(data, family, verdicts) for family in FAMILIES if family.headline]
    return {
        "scale": data.scale,
        "seed": data.seed,
        "sources": sorted({listing["source"] for listing in data.listings}),
        "title": _title(data, total, verdicts),
        "lead": _lead(data, total),
        "flow": _flow(data, total),
        "verdicts": [_verdict(verdict) for verdict in verdicts],
        "models": models,
        "confidence": data.confidence,
    }


def _title(data: ReportData, total: ListingCounts, verdicts: Sequence[Verdict]) -> str:
    accepted = counted(total.accepted, "listing") if total.accepted else counted(data.accepted["guides"], "guide")
    failed = sum(not verdict.passed for verdict in verdicts)
    if not verdicts:
        outcome = "no gates set"
    elif failed:
        outcome = f"{failed} of {len(verdicts)} gates failed"
    else:
        outcome = {1: "the gate passed", 2: "both gates passed"}.get(len(verdicts), f"all {len(verdicts)} gates passed")
    return f"{accepted}, {outcome}"


def _lead(data: ReportData, total: ListingCounts) -> str:
    guides, index = data.accepted["guides"], data.metrics["index"]
    if not total.fetched:
        return (
            f"The sources contain {counted(guides, 'guide')} and no listing. The index covers all guides, "
            f"with {readable(index.get('guide_vocab_size', 0))} distinct word stems."
        )
    with_guides = f" and {counted(guides, 'guide')}" if guides else ""
    skipped = total.quarantined + total.duplicates
    rest = f"{counted(skipped, 'listing')} skipped, each with its reason" if skipped else "none was skipped"
    return (
        f"The pipeline accepted {counted(total.accepted, 'listing')}{with_guides}; {rest}. "
        f"The index covers all accepted listings, with {readable(index.get('vocab_size', 0))} distinct word stems."
    )


def _flow(data: ReportData, total: ListingCounts) -> dict[str, Any]:
    """The count that `catalog` fetched and where the rows are now. The two must agree."""
    fetched = data.metrics["catalog"]["listings_fetched"]
    lost = fetched - total.fetched
    alarm = ""
    if lost:
        alarm = f"The counts do not add up: {readable(abs(lost))} {'are missing' if lost > 0 else 'too many'}."
    return {"fetched": fetched, "parts": _parts(total), "words": _other_tables(data), "alarm": alarm}


def _parts(total: ListingCounts) -> list[dict[str, Any]]:
    return [
        {"name": "accepted", "count": total.accepted, "colour": 0},
        {"name": "quarantined", "count": total.quarantined, "colour": 1},
        {"name": "duplicates", "count": total.duplicates, "colour": 3},
    ]


def _other_tables(data: ReportData) -> str:
    others = Counter(row["table"] for row in data.quarantine if row["table"] != "listings")
    if not others:
        return "No record of another table was quarantined."
    counts = ", ".join(f"{readable(count)} of {table}" for table, count in sorted(others.items()))
    return f"Quarantined records of other tables: {counts}."


def _verdict(verdict: Verdict) -> dict[str, Any]:
    found = "not measured" if verdict.value is None else f"found {readable(verdict.value)}"
    return {
        "model": verdict.model,
        "passed": verdict.passed,
        "name": plain_name(verdict.metric.partition(".")[2]),
        "words": f"{found}, must be {verdict.direction} {verdict.bound:g}",
    }


def _model(data: ReportData, family: Family, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    stage = family.evaluate.name
    found = [find(data.metrics[stage], path) for path in family.headline]
    measured = [metric for metric in found if metric is not None]  # retrieval is measured without a reranker, too
    return {
        "name": family.name,
        "summary": family.summary,
        "skipped": None if measured else data.skipped.get(stage) or data.skipped.get(family.name),
        "bullets": [_bullet(metric, stage, verdicts) for metric in measured],
    }


def _bullet(metric: MetricValue, stage: str, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """One headline metric as a bar, with ticks for chance, gates and the upper bound."""
    marks = []
    if metric.chance is not None:
        marks.append({"name": "chance", "value": metric.chance, "kind": "chance"})
    for verdict in verdicts:
        if verdict.metric == f"{stage}.{metric.path}":
            marks.append({"name": SIGNS[verdict.direction], "value": verdict.bound, "kind": "gate-tick"})
    if metric.upper_bound is not None:
        marks.append({"name": "upper bound", "value": metric.upper_bound, "kind": "upper-bound"})
    return {"name": plain_name(metric.path), "value": metric.value, "interval": metric.interval, "marks": marks}
