"""Metrics as modules of the `evaluate` library: one file each, a thin layer over a reference implementation.

``evaluate.load("heddle/metrics/recall.py")`` loads a metric by path and copies its code to a cache in the home folder.
A stage writes only its output, so stages import the class instead. ``evaluate`` reads the imports of a metric file with
a line parser: write one import a line, without parentheses.
"""

import tempfile
from typing import Any, TypeVar

import evaluate

MetricType = TypeVar("MetricType", bound=evaluate.Metric)


def compute(metric: type[MetricType], **inputs: Any) -> dict[str, float]:
    """Compute ``metric`` on these inputs without leaving files on disk."""
    with tempfile.TemporaryDirectory() as cache:
        result: dict[str, float] = metric(cache_dir=cache, keep_in_memory=True).compute(**inputs)
    return result
