"""The stage `validated`: check every table, drop the rows that fail, stop where too many do."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from assets.validated.columns import JOINS, frame
from assets.validated.docs import write_docs
from assets.validated.sources import Rate, rates
from assets.validated.suites import Outcome, Suites
from assets.validated.tables import kept_of, rows_at, rows_in
from heddle.core.schemas import QUARANTINE, TABLES, write_table
from heddle.core.stage import Metrics, Stage, StageError, write_json
from heddle.validation.expectations import SUITES
from heddle.validation.parameters import ValidatedParameters

Names: TypeAlias = pd.Series
"""What the rows of a table are called."""
Sound = dict[str, NDArray[np.bool_]]
"""Of each table, which rows are accepted."""
Quarantine = list[dict[str, Any]]
EXAMPLES = 5  # ids in a message


def validated(stage: Stage) -> Metrics:
    """Keep the rows that meet every expectation; quarantine the others with the reason; stop if they are too many."""
    catalog = stage.input("catalog")
    parameters = stage.parameters(ValidatedParameters)
    suites, released = Suites(parameters.bounds), frozenset(parameters.released)
    quarantine = list(rows_in(catalog / "quarantine.parquet"))
    sound: Sound = {}
    known: dict[str, set[str]] = {}
    outcomes: list[Outcome] = []
    by_source: dict[str, list[Rate]] = {}
    breaches: list[str] = []
    pages = {}
    for number, table in enumerate(SUITES):
        stage.progress(f"tables checked, next: {table}", number, len(SUITES))
        shown = frame(table, rows_in(catalog / f"{table}.parquet"), known)
        pa.default_memory_pool().release_unused()  # what was freed since, anybody's, goes back to the system
        for joined in JOINS.get(table, ()):
            del known[joined]
        names = shown["name"]
        found, pages[table] = suites.check(table, shown)
        found = [_without(outcome, names, released) for outcome in found]
        outcomes += found
        for outcome in found:
            by_source[outcome.expectation.name] = rates(outcome, shown)
            breaches += _breaches(outcome, by_source[outcome.expectation.name], names)
        quarantine += _refused(catalog, table, names, found)
        sound[table] = np.full(len(names), True)
        sound[table][[row for outcome in found for row in outcome.failing]] = False
        if any(table in joined for joined in JOINS.values()):
            known[table] = set(names[sound[table]])
        # Great Expectations' objects refer to one another, so that they keep the frame until the collector finds them.
        for column in list(shown):
            del shown[column]
    if breaches:
        raise StageError("too many rows fail:\n" + "\n".join(breaches))
    unshown = _drop_unshown(catalog, sound)
    _write(stage, catalog, sound, quarantine)
    told = [_told(outcome, by_source[outcome.expectation.name]) for outcome in outcomes]
    write_json(stage.output / "expectations.json", told)
    write_docs(stage.output / "docs", pages, told)
    return _metrics(sound, outcomes, quarantine) | {"images_dropped": unshown}


def _without(outcome: Outcome, names: Names, released: Set[str]) -> Outcome:
    """The outcome without the failures of rows that a person lets in, where the expectation leaves that to a person."""
    if not outcome.expectation.releasable or not released:
        return outcome
    failing = [row for row in outcome.failing if names[row] not in released]
    return replace(outcome, failing=failing, passed=outcome.passed or len(failing) <= outcome.bound * outcome.evaluated)


def _drop_unshown(catalog: Path, sound: Sound) -> int:
    """Drop the images that only refused listings show; those listings are in the quarantine. Returns how many."""
    accepted = int(sound["images"].sum())
    shown = set(compress((row["image"] for row in rows_in(catalog / "listings.parquet", ["image"])), sound["listings"]))
    images = rows_in(catalog / "images.parquet", ["sha256"])
    sound["images"] &= np.fromiter((row["sha256"] in shown for row in images), dtype=bool)
    return accepted - int(sound["images"].sum())


def _refused(catalog: Path, table: str, names: Names, outcomes: Sequence[Outcome]) -> Iterator[dict[str, Any]]:
    """Quarantine rows: the first expectation that a row fails is its reason, the detail tells of all."""
    failed: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        for number in outcome.failing:
            failed.setdefault(number, []).append(outcome)
    places = sorted(failed)
    for place, row in zip(places, rows_at(catalog / f"{table}.parquet", places), strict=True):
        why = failed[place]
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


def _write(stage: Stage, catalog: Path, sound: Sound, quarantine: Quarantine) -> None:
    for table, schema in TABLES.items():
        file = f"{table}.parquet"
        write_table(stage.output / file, kept_of(catalog / file, sound[table]), schema)
    quarantine.sort(key=lambda row: tuple(row[name] or "" for name in QUARANTINE.names))
    write_table(stage.output / "quarantine.parquet", quarantine, QUARANTINE)


def _metrics(sound: Sound, outcomes: Sequence[Outcome], quarantine: Quarantine) -> dict[str, int | float]:
    refused = Counter(row["table"] for row in quarantine)
    metrics: dict[str, int | float] = {}
    for table in SUITES:
        metrics |= {f"{table}_accepted": int(sound[table].sum()), f"{table}_quarantined": refused[table]}
    return metrics | {
        "expectations": len(outcomes),
        "expectations_without_failure": sum(not outcome.failing for outcome in outcomes),
    }
