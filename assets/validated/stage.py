"""The stage `validated`: check every table, quarantine failing rows, and stop if too many rows fail."""

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

from assets.validated.columns import JOINS, build_frame
from assets.validated.docs import write_docs
from assets.validated.sources import FailureRate, compute_failure_rates
from assets.validated.suites import ExpectationResult, Suites
from assets.validated.tables import filter_rows, iterate_rows, iterate_rows_at
from heddle.core.schemas import QUARANTINE, TABLES, write_table
from heddle.core.stage import Metrics, Stage, StageError, write_json
from heddle.validation.expectations import SUITES
from heddle.validation.parameters import ValidatedParameters

Names: TypeAlias = pd.Series
"""Names of the rows of a table."""
Masks = dict[str, NDArray[np.bool_]]
"""For each table, which rows are accepted."""
Quarantine = list[dict[str, Any]]
MAX_EXAMPLES = 5  # ids in a message


def validated(stage: Stage) -> Metrics:
    """Keep the rows that meet every expectation and quarantine the others; stop if too many rows fail."""
    catalog = stage.input("catalog")
    parameters = stage.parameters(ValidatedParameters)
    suites, released = Suites(parameters.bounds), frozenset(parameters.released)
    quarantine = list(iterate_rows(catalog / "quarantine.parquet"))
    accepted: Masks = {}
    known: dict[str, set[str]] = {}
    results: list[ExpectationResult] = []
    by_source: dict[str, list[FailureRate]] = {}
    breaches: list[str] = []
    pages = {}
    for number, table in enumerate(SUITES):
        stage.progress(f"tables checked, next: {table}", number, len(SUITES))
        frame = build_frame(table, iterate_rows(catalog / f"{table}.parquet"), known)
        pa.default_memory_pool().release_unused()  # returns freed memory to the system
        for joined in JOINS.get(table, ()):
            del known[joined]
        names = frame["name"]
        found, pages[table] = suites.check(table, frame)
        found = [_exclude_released(result, names, released) for result in found]
        results += found
        for result in found:
            by_source[result.expectation.name] = compute_failure_rates(result, frame)
            breaches += _find_breaches(result, by_source[result.expectation.name], names)
        quarantine += _quarantine_rows(catalog, table, names, found)
        accepted[table] = np.full(len(names), True)
        accepted[table][[row for result in found for row in result.failing]] = False
        if any(table in joined for joined in JOINS.values()):
            known[table] = set(names[accepted[table]])
        # Great Expectations' objects form reference cycles, which keep the frame until garbage collection.
        for column in list(frame):
            del frame[column]
    if breaches:
        raise StageError("too many rows fail:\n" + "\n".join(breaches))
    dropped_images = _drop_unused_images(catalog, accepted)
    _write(stage, catalog, accepted, quarantine)
    records = [_build_record(result, by_source[result.expectation.name]) for result in results]
    write_json(stage.output / "expectations.json", records)
    write_docs(stage.output / "docs", pages, records)
    return _metrics(accepted, results, quarantine) | {"images_dropped": dropped_images}


def _exclude_released(result: ExpectationResult, names: Names, released: Set[str]) -> ExpectationResult:
    """Remove released rows from the failing rows, if the expectation is releasable."""
    if not result.expectation.releasable or not released:
        return result
    failing = [row for row in result.failing if names[row] not in released]
    passed = result.passed or len(failing) <= result.bound * result.evaluated
    return replace(result, failing=failing, passed=passed)


def _drop_unused_images(catalog: Path, accepted: Masks) -> int:
    """Drop the images that only quarantined listings show. Return how many."""
    before = int(accepted["images"].sum())
    used = set(
        compress((row["image"] for row in iterate_rows(catalog / "listings.parquet", ["image"])), accepted["listings"])
    )
    images = iterate_rows(catalog / "images.parquet", ["sha256"])
    accepted["images"] &= np.fromiter((row["sha256"] in used for row in images), dtype=bool)
    return before - int(accepted["images"].sum())


def _quarantine_rows(
    catalog: Path, table: str, names: Names, results: Sequence[ExpectationResult]
) -> Iterator[dict[str, Any]]:
    """Build quarantine rows. The reason is the first failed expectation; the detail contains all of them."""
    failed: dict[int, list[ExpectationResult]] = {}
    for result in results:
        for number in result.failing:
            failed.setdefault(number, []).append(result)
    indices = sorted(failed)
    for index, row in zip(indices, iterate_rows_at(catalog / f"{table}.parquet", indices), strict=True):
        expectations = [each.expectation for each in failed[index]]
        yield {
            "table": table,
            "id": names[index],
            "origin": row.get("url") or f"catalog/{table}.parquet row {index + 1}",
            "reason": expectations[0].name,
            "detail": " ".join(f"Violates: {each.description}" for each in expectations),
            "record": json.dumps(row, sort_keys=True, ensure_ascii=False),
        }


def _find_breaches(result: ExpectationResult, sources: Sequence[FailureRate], names: Names) -> Iterator[str]:
    """Explain why the run must stop: too many rows fail, in the whole table or in one source."""
    if not result.passed:
        yield _describe_breach(result, result.evaluated, result.failing, names)
        return
    for rate in sources:
        if rate.exceeds(result.bound):
            yield f"source {rate.source}: {_describe_breach(result, rate.evaluated, rate.failing, names)}"


def _describe_breach(result: ExpectationResult, evaluated: int, failing: Sequence[int], names: Names) -> str:
    expectation = result.expectation
    return (
        f"{expectation.suite}: {expectation.name}: {len(failing)} of {evaluated} rows "
        f"({len(failing) / evaluated:.1%}, allowed {result.bound:.1%}), "
        f"for example {', '.join(names[failing[:MAX_EXAMPLES]])}. {expectation.description} "
        f"Fix the source, or raise `validated.bounds.{expectation.name}`"
    )


def _build_record(result: ExpectationResult, sources: Sequence[FailureRate]) -> dict[str, Any]:
    """Build the record of a result for the report and the orchestrator."""
    return {
        "suite": result.expectation.suite,
        "name": result.expectation.name,
        "description": result.expectation.description,
        "passed": result.passed,
        "evaluated": result.evaluated,
        "failed": len(result.failing),
        "bound": result.bound,
        "sources": {rate.source: {"evaluated": rate.evaluated, "failed": len(rate.failing)} for rate in sources},
    }


def _write(stage: Stage, catalog: Path, accepted: Masks, quarantine: Quarantine) -> None:
    for table, schema in TABLES.items():
        file = f"{table}.parquet"
        write_table(stage.output / file, filter_rows(catalog / file, accepted[table]), schema)
    quarantine.sort(key=lambda row: tuple(row[name] or "" for name in QUARANTINE.names))
    write_table(stage.output / "quarantine.parquet", quarantine, QUARANTINE)


def _metrics(accepted: Masks, results: Sequence[ExpectationResult], quarantine: Quarantine) -> dict[str, int | float]:
    quarantined = Counter(row["table"] for row in quarantine)
    metrics: dict[str, int | float] = {}
    for table in SUITES:
        metrics |= {f"{table}_accepted": int(accepted[table].sum()), f"{table}_quarantined": quarantined[table]}
    return metrics | {
        "expectations": len(results),
        "expectations_without_failure": sum(not result.failing for result in results),
    }
