"""Asset checks: losses of ``catalog``, the named expectations of ``validated`` and the gates of ``params.yaml``.

The ops evaluate them right after their stage, so a check's history in the UI has one point for each materialisation.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg

from assets.gates import Gates
from dagster_project import losses
from heddle.core.parameters.section import load
from heddle.evaluation.gate_parameters import GatesSection
from heddle.evaluation.gates import Verdict, evaluate_gates, read_metrics, read_skip_reasons
from heddle.validation.expectations import EXPECTATIONS

EXPECTATIONS_STAGE = "validated"
EXPECTATIONS_FILE = "expectations.json"


def read_gates(root: Path) -> GatesSection:
    """Section ``gates`` of the parameters."""
    return load("gates", Gates, root)


def verdicts(root: Path) -> list[Verdict]:
    """The verdict of every gate on the present metrics files."""
    gates = read_gates(root)
    stages = {gate.stage for model in gates.by_model().values() for gate in model}
    skipped = read_skip_reasons({*stages, *gates.by_model()}, root / "data")
    return evaluate_gates(gates, read_metrics(stages, root / "data"), skipped)


def check_specs(gates: GatesSection, stage: str) -> Sequence[dg.AssetCheckSpec]:
    """The checks on one stage's asset.

    A failed gate does not stop the run: the report is still written, and other models may pass their gates. The
    registry refuses the model.
    """
    if stage == losses.CATALOG:
        return [losses.CHECK]
    if stage == EXPECTATIONS_STAGE:
        return [
            dg.AssetCheckSpec(expectation.name, asset=stage, description=expectation.description)
            for expectation in EXPECTATIONS
        ]
    return [
        dg.AssetCheckSpec(
            _gate_name(model, gate.metric),
            asset=stage,
            description=f"{model} is registered only if {gate.path} is {gate.direction} {gate.bound:g}.",
            metadata={"bound": gate.bound},
        )
        for model, own in gates.by_model().items()
        for gate in own
        if gate.stage == stage
    ]


def check_results(root: Path, stage: str, specs: Sequence[dg.AssetCheckSpec]) -> Iterator[dg.AssetCheckResult]:
    """The results of those checks that :func:`check_specs` declared when the code location was loaded."""
    wanted = {spec.name for spec in specs}
    yield from (result for result in _results(root, stage) if result.check_name in wanted)


def _results(root: Path, stage: str) -> Iterator[dg.AssetCheckResult]:
    if stage == losses.CATALOG:
        yield losses.check_losses(root)
    elif stage == EXPECTATIONS_STAGE:
        yield from _expectations(root)
    else:
        yield from _gates(root, stage)


def _expectations(root: Path) -> Iterator[dg.AssetCheckResult]:
    for row in json.loads((root / "data" / EXPECTATIONS_STAGE / EXPECTATIONS_FILE).read_text()):
        share = row["failed"] / row["evaluated"] if row["evaluated"] else 0.0
        sources = {"sources": dg.MetadataValue.json(row["sources"])} if row["sources"] else {}
        yield dg.AssetCheckResult(
            passed=row["passed"],
            check_name=row["name"],
            asset_key=EXPECTATIONS_STAGE,
            description=f"{row['failed']} of {row['evaluated']} rows went to quarantine",
            metadata={
                "failed": row["failed"],
                "evaluated": row["evaluated"],
                "share": share,
                "bound": row["bound"],
                **sources,
            },
        )


def _gates(root: Path, stage: str) -> Iterator[dg.AssetCheckResult]:
    for verdict in verdicts(root):
        if verdict.stage == stage:
            metadata = {"bound": verdict.bound}
            if verdict.value is not None:
                metadata["value"] = verdict.value
            yield dg.AssetCheckResult(
                passed=verdict.passed,
                check_name=_gate_name(verdict.model, verdict.metric),
                asset_key=stage,
                description=verdict.description,
                metadata=metadata,
            )


def _gate_name(model: str, metric: str) -> str:
    """A name that Dagster allows, without dots: ``gate_clip_text_to_image_recall_at_10``."""
    path = metric.partition(".")[2]
    return f"gate_{model}_{path.replace('.', '_')}"
