"""Does a model pass its gates? Pure: numbers in, verdicts out.

The orchestrator shows the verdicts as asset checks, the registry refuses a model that has a failed one, the model card
and the report print them: all four ask :func:`judge`.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from heddle.core.skipped import skip_reason
from heddle.core.stage import DATA, METRICS_FILE, Metrics, read_json
from heddle.evaluation.gate_parameters import Gate, GatesSection


@dataclass(frozen=True)
class Verdict:
    """One gate, judged.

    Attributes:
        model: the model that the gate guards.
        metric: ``<stage>.<number>``.
        value: what was measured; None where nothing was.
        direction: "at least" or "at most".
        bound: what was asked for.
        passed: whether the value is on the right side of the bound (the bound included).
        description: the verdict in words.
    """

    model: str
    metric: str
    value: float | None
    direction: str
    bound: float
    passed: bool
    description: str


def judge(
    gates: GatesSection, metrics: Mapping[str, Metrics], absent: Mapping[str, str] = MappingProxyType({})
) -> list[Verdict]:
    """Judge every gate of every model.

    Args:
        gates: section `gates` of the parameters.
        metrics: stage name to the numbers of its metrics file. A number that is absent or not finite fails its gate.
        absent: stage name, of an evaluation or a model, to why it measured or made nothing.
    """
    return [
        _verdict(model, gate, metrics.get(gate.stage), absent.get(gate.stage) or absent.get(model))
        for model, model_gates in gates.by_model().items()
        for gate in model_gates
    ]


def measured(stages: Iterable[str], data: Path = DATA) -> dict[str, Metrics]:
    """The metrics files of these stages, as far as they are there."""
    files = {stage: data / stage / METRICS_FILE for stage in stages}
    return {stage: read_json(file) for stage, file in files.items() if file.is_file()}


def unmeasured(stages: Iterable[str], data: Path = DATA) -> dict[str, str]:
    """Those of these stages that had nothing to measure or to learn from, and why."""
    return {stage: reason for stage in stages if (reason := skip_reason(data / stage))}


def _verdict(model: str, gate: Gate, numbers: Metrics | None, why_not: str | None) -> Verdict:
    value = None if numbers is None else numbers.get(gate.number)
    asked = f"{gate.metric} must be {gate.direction} {gate.bound:g}"
    if value is None:
        reason = "has no metrics" if numbers is None else "reports no such number"
        words = f"{asked}, but stage {gate.stage} {reason}" + (f": {why_not}" if why_not else "")
        return Verdict(model, gate.metric, None, gate.direction, gate.bound, False, words)
    if not math.isfinite(value):
        return Verdict(model, gate.metric, None, gate.direction, gate.bound, False, f"{asked}, found {value}")
    passed = value >= gate.bound if gate.at_least is not None else value <= gate.bound
    return Verdict(model, gate.metric, float(value), gate.direction, gate.bound, passed, f"{asked}, found {value:.4g}")
