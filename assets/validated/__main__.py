"""The stage `validated`: check every table, drop the rows that fail, stop where too many do."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from typing import Any

from assets.expectations import SUITES
from assets.parameters.validated import ValidatedParameters
from assets.schemas import QUARANTINE, TABLES, read_rows, write_table
from assets.stage import Metrics, Stage, StageError, main, write_json
from assets.validated.columns import frame, name_of
from assets.validated.docs import write_docs
from assets.validated.sources import Rate, rates
from assets.validated.suites import Outcome, Suites

Rows = list[dict[str, Any]]
EXAMPLES = 5  # ids in a message


def validated(stage: Stage) -> Metrics:
    """Keep the rows that meet every expectation; quarantine the others with the reason; stop if they are too many."""
    catalog = stage.input("catalog")
    parameters = stage.parameters(ValidatedParameters)
    suites, released = Suites(parameters.bounds), frozenset(parameters.released)
    quarantine = read_rows(catalog / "quarantine.parquet")
    tables: dict[str, Rows] = {}
    known: dict[str, set[str]] = {}
    outcomes: list[Outcome] = []
    by_source: dict[str, list[Rate]] = {}
    breaches: list[str] = []
    pages = {}
    for number, table in enumerate(SUITES):
        stage.progress(f"tables checked, next: {table}", number, len(SUITES))
        rows = read_rows(catalog / f"{table}.parquet")
        shown = frame(table, rows, known)
        found, pages[table] = suites.check(table, shown)
        found = [_without(outcome, rows, released) for outcome in found]
        outcomes += found
        for outcome in found:
            by_source[outcome.expectation.name] = rates(outcome, shown)
            breaches += _breaches(outcome, by_source[outcome.expectation.name], rows)
        failing = {row for outcome in found for row in outcome.failing}
        quarantine += _refused(table, rows, found)
        tables[table] = [row for number, row in enumerate(rows) if number not in failing]
        known[table] = {name_of(table, row) for row in tables[table]}
    if breaches:
        raise StageError("too many rows fail:\n" + "\n".join(breaches))
    unshown = _drop_unshown(tables)
    _write(stage, tables, quarantine)
    told = [_told(outcome, by_source[outcome.expectation.name]) for outcome in outcomes]
    write_json(stage.output / "expectations.json", told)
    write_docs(stage.output / "docs", pages, told)
    return _metrics(tables, outcomes, quarantine) | {"images_dropped": unshown}


def _without(outcome: Outcome, rows: Rows, released: Set[str]) -> Outcome:
    """The outcome without the failures of rows that a person lets in, where the expectation leaves that to a person."""
    expectation = outcome.expectation
    if not expectation.releasable or not released:
        return outcome
    failing = [row for row in outcome.failing if name_of(expectation.suite, rows[row]) not in released]
    return replace(outcome, failing=failing, passed=outcome.passed or len(failing) <= outcome.bound * outcome.evaluated)


def _drop_unshown(tables: dict[str, Rows]) -> int:
    """Drop the images that only refused listings show; those listings are in the quarantine. Returns how many."""
    shown = {row["image"] for row in tables["listings"]}
    images = tables["images"]
    tables["images"] = [row for row in images if row["sha256"] in shown]
    return len(images) - len(tables["images"])


def _refused(table: str, rows: Rows, outcomes: Sequence[Outcome]) -> Iterator[dict[str, Any]]:
    """Quarantine rows: the first expectation that a row fails is its reason, the detail tells of all."""
    failed: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        for number in outcome.failing:
            failed.setdefault(number, []).append(outcome)
    for place, why in sorted(failed.items()):
        row = rows[place]
        yield {
            "table": table,
            "id": name_of(table, row),
            "origin": row.get("url") or f"catalog/{table}.parquet row {place + 1}",
            "reason": why[0].expectation.name,
            "detail": " ".join(f"Not so: {each.expectation.description}" for each in why),
            "record": json.dumps(row, sort_keys=True, ensure_ascii=False),
        }


def _breaches(outcome: Outcome, sources: Sequence[Rate], rows: Rows) -> Iterator[str]:
    """Why the run must stop: the whole table is beyond its bound, or one of several sources is."""
    if not outcome.passed:
        yield _breach(outcome, outcome.evaluated, outcome.failing, rows)
        return
    for rate in sources:
        if rate.exceeds(outcome.bound):
            yield f"source {rate.source}: {_breach(outcome, rate.evaluated, rate.failing, rows)}"


def _breach(outcome: Outcome, evaluated: int, failing: Sequence[int], rows: Rows) -> str:
    expectation = outcome.expectation
    ids = [name_of(expectation.suite, rows[row]) for row in failing[:EXAMPLES]]
    return (
        f"{expectation.suite}: {expectation.name}: {len(failing)} of {evaluated} rows "
        f"({len(failing) / evaluated:.1%}, bound {outcome.bound:.1%}), "
        f"for example {', '.join(ids)}. {expectation.description} "
        f"Mend the source, or raise `validated.bounds.{expectation.name}`"
    )


def _told(outcome: Outcome, sources: Sequence[Rate]) -> dict[str, Any]:
    """An outcome as the report and the orchestrator read it."""
    return {
        "suite": outcome.expectation.suite,
        "name": outcome.expectation.name,
        "description": outcome.expectation.description,
        "passed": outcome.passed,
        "evaluated": outcome.evaluated,
        "failed": len(outcome.failing),
        "bound": outcome.bound,
        "sources": {rate.source: {"evaluated": rate.evaluated, "failed": len(rate.failing)} for rate in sources},
    }


def _write(stage: Stage, tables: dict[str, Rows], quarantine: Rows) -> None:
    for table, schema in TABLES.items():
        write_table(stage.output / f"{table}.parquet", tables[table], schema)
    quarantine.sort(key=lambda row: tuple(row[name] or "" for name in QUARANTINE.names))
    write_table(stage.output / "quarantine.parquet", quarantine, QUARANTINE)


def _metrics(tables: dict[str, Rows], outcomes: Sequence[Outcome], quarantine: Rows) -> dict[str, int | float]:
    refused = Counter(row["table"] for row in quarantine)
    metrics: dict[str, int | float] = {}
    for table in SUITES:
        metrics |= {f"{table}_accepted": len(tables[table]), f"{table}_quarantined": refused[table]}
    return metrics | {
        "expectations": len(outcomes),
        "expectations_without_failure": sum(not outcome.failing for outcome in outcomes),
    }


if __name__ == "__main__":
    main(validated)
