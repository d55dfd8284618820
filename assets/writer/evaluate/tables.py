"""What the evaluation of the writer keeps for ``dvc plots`` and for the report."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from assets.writer.evaluate.error_detection import DetectionResult
from assets.writer.evaluate.result import MEASURES, SystemResult
from heddle.core.csv_file import write_csv
from heddle.metrics.bootstrap import ConfidenceInterval


def write_systems(folder: Path, numbers: Mapping[str, Mapping[str, float]]) -> None:
    """``systems.csv``: every measure of every system, with its interval where it has one."""
    rows = [
        (system, name, *(_written(found.get(f"{name}{part}")) for part in ("", "_low", "_high")))
        for system, found in numbers.items()
        for name in MEASURES
        if name in found
    ]
    write_csv(folder / "systems.csv", ("system", "measure", "value", "low", "high"), rows)


def write_differences(folder: Path, rows: Iterable[tuple[str, str, str, Mapping[str, float]]]) -> None:
    """``differences.csv``: how much higher a measure is for one system than for another, listing by listing."""
    header = ("system", "other", "measure", "difference", "low", "high")
    write_csv(folder / "differences.csv", header, [(*names, *map(_written, found.values())) for *names, found in rows])


def write_errors(folder: Path, told: Iterable[DetectionResult]) -> None:
    """``errors.csv``: how well mistakes are seen, by what the writer knew and by their kind."""
    rows = [
        (
            *(one.view, one.texts, one.by, one.kind, one.count, one.wrong),
            *(_written(one.numbers.get(f"auc{part}")) for part in ("", "_low", "_high")),
        )
        for one in told
    ]
    write_csv(folder / "errors.csv", ("view", "texts", "by", "kind", "count", "wrong", "auc", "low", "high"), rows)


def differences(
    trials: Mapping[str, SystemResult], pairs: Sequence[tuple[str, str, str]], sure: ConfidenceInterval
) -> list[tuple[str, str, str, dict[str, float]]]:
    """System, another one, measure, and the difference with its bounds, of the pairs that can be compared."""
    found = [
        (one, other, measure, trials[one].over(trials[other], measure, sure))
        for one, other, measure in pairs
        if one in trials and other in trials
    ]
    return [row for row in found if row[3]]


def _written(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"
