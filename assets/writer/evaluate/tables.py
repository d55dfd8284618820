"""Write the tables of the evaluation, which ``dvc plots`` and the report show."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from assets.writer.evaluate.error_detection import DetectionResult
from assets.writer.evaluate.result import METRICS, MetricLeaf
from assets.writer.evaluate.systems import SystemDifference
from heddle.core.csv_file import write_csv


def write_systems(folder: Path, metrics: Mapping[str, Mapping[str, MetricLeaf]]) -> None:
    """Write ``systems.csv``: every metric of every system, with its interval where it has one."""
    rows = [
        (system, name, *_format(measured[name]))
        for system, measured in metrics.items()
        for name in METRICS
        if name in measured
    ]
    write_csv(folder / "systems.csv", ("system", "metric", "value", "low", "high"), rows)


def write_differences(folder: Path, differences: Iterable[SystemDifference]) -> None:
    """Write ``differences.csv``: the paired comparisons of systems with baselines."""
    header = ("system", "baseline", "metric", "difference", "low", "high")
    rows = [(one.system, one.baseline, one.metric, *_format(one.interval)) for one in differences]
    write_csv(folder / "differences.csv", header, rows)


def write_error_detection(folder: Path, results: Iterable[DetectionResult]) -> None:
    """Write ``error_detection.csv``: the AUROC by inputs, texts, detector and kind of error."""
    header = ("system", "texts", "detector", "kind", "count", "errors", "auroc", "low", "high")
    rows = [
        (one.system, one.texts, one.detector, one.kind, one.count, one.errors, *_format(one.auroc)) for one in results
    ]
    write_csv(folder / "error_detection.csv", header, rows)


def _format(metric: MetricLeaf | None) -> tuple[str, str, str]:
    """Value, low and high; empty where unknown."""
    if metric is None:
        return "", "", ""
    if isinstance(metric, dict):
        return f"{metric['value']:.6f}", f"{metric['low']:.6f}", f"{metric['high']:.6f}"
    return f"{metric:.6f}", "", ""
