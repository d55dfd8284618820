"""The stage `validated`: check every table, drop the rows that fail, stop where too many do."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from assets.expectations import SUITES
from assets.parameters.validated import ValidatedParameters
from assets.schemas import QUARANTINE, TABLES, read_rows, rows_of, write_table
from assets.stage import Metrics, Stage, StageError, main, write_json
from assets.validated.columns import frame
from assets.validated.docs import write_docs
from assets.validated.sources import Rate, rates
from assets.validated.suites import Outcome, Suites

Names = NDArray[np.object_]
"""What the rows of a table are called."""
Quarantine = list[dict[str, Any]]
EXAMPLES = 5  # ids in a message


def validated(stage: Stage) -> Metrics:
    """Keep the rows that meet every expectation; quarantine the others with the reason; stop if they are too many."""
    catalog = stage.input("catalog")
    parameters = stage.parameters(ValidatedParameters)
    suites, released = Suites(parameters.bounds), frozenset(parameters.released)
    quarantine = read_rows(catalog / "quarantine.parquet")
    tables: dict[str, pa.Table] = {}
    known: dict[str, set[str]] = {}
    outcomes: list[Outcome] = []
    by_source: dict[str, list[Rate]] = {}
    breaches: list[str] = []
    pages = {}
    for number, table in enumerate(SUITES):
        stage.progress(f"tables checked, next: {table}", number, len(SUITES))
        rows = pq.read_table(catalog / f"{table}.parquet")
        shown = frame(table, rows_of(rows), known)
        names = shown["name"].to_numpy()
        found, pages[table] = suites.check(table, shown)
        found = [_without(outcome, names, released) for outcome in found]
        outcomes += found
        for outcome in found:
            by_source[outcome.expectation.name] = rates(outcome, shown)
            breaches += _breaches(outcome, by_source[outcome.expectation.name], names)
        quarantine += _refused(table, rows, names, found)
        sound = np.full(rows.num_rows, True)
        sound[[row for outcome in found for row in outcome.failing]] = False
        tables[table], known[table] = rows.filter(pa.array(sound)), set(names[sound])
    if breaches:
        raise StageError("too many rows fail:\n" + "\n".join(breaches))
    unshown = _drop_unshown(tables)
    _write(stage, tables, quarantine)
    told = [_told(outcome, by_source[outcome.expectation.name]) for outcome in outcomes]
    write_json(stage.output / "expectations.json", told)
    write_docs(stage.output / "docs", pages, told)
    return _metrics(tables, outcomes, quarantine) | {"images_dropped": unshown}


def _without(outcome: Outcome, names: Names, released: Set[str]) -> Outcome:
    """The outcome without the failures of rows that a person lets in, where the expectation leaves that to a person."""
    if not outcome.expectation.releasable or not released:
        return outcome
    failing = [row for row in outcome.failing if names[row] not in released]
    return replace(outcome, failing=failing, passed=outcome.passed or len(failing) <= outcome.bound * outcome.evaluated)


def _drop_unshown(tables: dict[str, pa.Table]) -> int:
    """Drop the images that only refused listings show; those listings are in the quarantine. Returns how many."""
    images = tables["images"]
    tables["images"] = images.filter(pc.is_in(images["sha256"], tables["listings"]["image"].combine_chunks()))
    return int(images.num_rows - tables["images"].num_rows)


def _refused(table: str, rows: pa.Table, names: Names, outcomes: Sequence[Outcome]) -> Iterator[dict[str, Any]]:
    """Quarantine rows: the first expectation that a row fails is its reason, the detail tells of all."""
    failed: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        for number in outcome.failing:
            failed.setdefault(number, []).append(outcome)
    for place, why in sorted(failed.items()):
        (row,) = rows.slice(place, 1).to_pylist()
        yield {
            "table": table,
            "id": names[place],
            "origin": row.get("url") or f"catalog/{table}.parquet row {place + 1}",
            "reason": why[0].expectation.name,
            "detail": " ".join(f"Not so: {each.expectation.description}" for each in why),
            "record": json.dumps(row, sort_keys=True, ensure_ascii=False),
        }


def _breaches(outcome: Outcome, sources: Sequence[Rate], names: Names) -> Iterator[str]:
    """Why the run must stop: the whole table is beyond its bound, or one of several sources is."""
    if not outcome.passed:
        yield _breach(outcome, outcome.evaluated, outcome.failing, names)
        return
    for rate in sources:
        if rate.exceeds(outcome.bound):
            yield f"source {rate.source}: {_breach(outcome, rate.evaluated, rate.failing, names)}"


def _breach(outcome: Outcome, evaluated: int, failing: Sequence[int], names: Names) -> str:
    expectation = outcome.expectation
    return (
        f"{expectation.suite}: {expectation.name}: {len(failing)} of {evaluated} rows "
        f"({len(failing) / evaluated:.1%}, bound {outcome.bound:.1%}), "
        f"for example {', '.join(names[failing[:EXAMPLES]])}. {expectation.description} "
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


def _write(stage: Stage, tables: dict[str, pa.Table], quarantine: Quarantine) -> None:
    for table, schema in TABLES.items():
        write_table(stage.output / f"{table}.parquet", tables[table], schema)
    quarantine.sort(key=lambda row: tuple(row[name] or "" for name in QUARANTINE.names))
    write_table(stage.output / "quarantine.parquet", quarantine, QUARANTINE)


def _metrics(
    tables: dict[str, pa.Table], outcomes: Sequence[Outcome], quarantine: Quarantine
) -> dict[str, int | float]:
    refused = Counter(row["table"] for row in quarantine)
    metrics: dict[str, int | float] = {}
    for table in SUITES:
        metrics |= {f"{table}_accepted": tables[table].num_rows, f"{table}_quarantined": refused[table]}
    return metrics | {
        "expectations": len(outcomes),
        "expectations_without_failure": sum(not outcome.failing for outcome in outcomes),
    }


if __name__ == "__main__":
    main(validated)
