"""Evaluate gates: metrics in, verdicts out, no side effects.

Dagster shows the verdicts as asset checks, the registry refuses a model with a failed gate, the model card and the
report print the verdicts.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from heddle.core.skipped import skip_reason
from heddle.core.stage import DATA, METRICS_FILE, read_json
from heddle.evaluation.gate_parameters import Gate, GatesSection
from heddle.evaluation.metric_tree import MetricTree, find


@dataclass(frozen=True)
class Verdict:
    """The outcome of one gate.

    Attributes:
        model: the model that the gate guards.
        metric: ``<stage>.<path in its metrics.json>``.
        value: the measured value; None where the metric is missing or not finite.
        direction: "at least" or "at most".
        bound: of the gate.
        passed: whether the value is on the right side of the bound (the bound included).
        description: the verdict as a sentence.
    """

    model: str
    metric: str
    value: float | None
    direction: str
    bound: float
    passed: bool
    description: str

    @property
    def stage(self) -> str:
        """The stage that measures the metric."""
        return self.metric.partition(".")[0]


def evaluate_gates(
    gates: GatesSection, metrics: Mapping[str, MetricTree], skipped: Mapping[str, str] = MappingProxyType({})
) -> list[Verdict]:
    """Evaluate every gate of every model.

    Args:
        gates: section `gates` of the parameters.
        metrics: stage to the content of its metrics file. A metric that is missing or not finite fails its gate.
        skipped: stage, of an evaluation or of a model, to why it was skipped.
    """
    return [
        _verdict(model, gate, metrics.get(gate.stage), skipped.get(gate.stage) or skipped.get(model))
        for model, model_gates in gates.by_model().items()
        for gate in model_gates
    ]


def read_metrics(stages: Iterable[str], data: Path = DATA) -> dict[str, MetricTree]:
    """The metrics of those of these stages that have a metrics file."""
    files = {stage: data / stage / METRICS_FILE for stage in stages}
    return {stage: read_json(file) for stage, file in files.items() if file.is_file()}


def read_skip_reasons(stages: Iterable[str], data: Path = DATA) -> dict[str, str]:
    """Those of these stages that were skipped, and why."""
    reasons = {stage: skip_reason(data / stage) for stage in stages}
    return {stage: reason for stage, reason in reasons.items() if reason is not None}


def _verdict(model: str, gate: Gate, metrics: MetricTree | None, why_skipped: str | None) -> Verdict:
    found = None if metrics is None else find(metrics, gate.path)
    rule = f"{gate.metric} must be {gate.direction} {gate.bound:g}"
    if found is None:
        problem = "has no metrics" if metrics is None else "reports no such metric"
        sentence = f"{rule}, but stage {gate.stage} {problem}"
        if why_skipped:
            sentence = f"{sentence}: {why_skipped}"
        return Verdict(model, gate.metric, None, gate.direction, gate.bound, False, sentence)
    value = found.value
    if not math.isfinite(value):
        return Verdict(model, gate.metric, None, gate.direction, gate.bound, False, f"{rule}, found {value}")
    passed = value >= gate.bound if gate.at_least is not None else value <= gate.bound
    return Verdict(model, gate.metric, float(value), gate.direction, gate.bound, passed, f"{rule}, found {value:.4g}")
