"""Metrics in the form of the `evaluate` library: one folder each, thin over a reference implementation.

Anyone can have them by path, ``evaluate.load("assets/metrics/recall")``; that copies the code to a cache in the home
folder, so a stage, which writes nothing but its outputs, takes the class itself. ``evaluate`` reads the imports of a
metric's file with a line parser: one import a line, none in parentheses.
"""

import tempfile
from typing import Any, TypeVar

import evaluate

MetricType = TypeVar("MetricType", bound=evaluate.Metric)


def compute(metric: type[MetricType], **inputs: Any) -> dict[str, float]:
    """What ``metric`` measures on these inputs, leaving nothing on disk."""
    with tempfile.TemporaryDirectory() as cache:
        result: dict[str, float] = metric(cache_dir=cache, keep_in_memory=True).compute(**inputs)
    return result
