"""The stages of ``dvc.yaml`` as Dagster asset definitions: one op for each, so pools and retries work per stage."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from dagster_project.checks import check_results, check_specs, read_gates
from dagster_project.drift import STAGE as DRIFTING
from dagster_project.drift import drift_result, drift_spec
from dagster_project.dvc.plots import curves
from dagster_project.dvc.project import DvcProject, StageState
from dagster_project.dvc.runner import Outcome, StageFailedError, reproduce
from dagster_project.dvc.translator import DagsterDvcTranslator
from heddle.core.processes import die_with_parent
from heddle.evaluation.gate_parameters import GatesSection


class StageConfig(dg.Config):
    """What a run may ask of a stage.

    Attributes:
        force: run the command even when nothing changed; the ingest schedule asks it of ``catalog``.
    """

    force: bool = False


def dvc_assets(project: DvcProject, translator: DagsterDvcTranslator) -> list[dg.AssetsDefinition]:
    """An asset for each stage of the project, upstream first."""
    gates = read_gates(project.root)
    return [_stage_asset(project, stage, gates, translator) for stage in project.graph.values()]


def _stage_asset(
    project: DvcProject, stage: StageState, gates: GatesSection, translator: DagsterDvcTranslator
) -> dg.AssetsDefinition:
    specs: Sequence[dg.AssetCheckSpec] = check_specs(gates, stage.name)
    drifts = [drift_spec()] if stage.name == DRIFTING else []
    retries = stage.meta.get("retries", 0)

    @dg.multi_asset(
        name=stage.name,
        specs=[translator.spec(stage)],
        check_specs=[*specs, *drifts],
        pool=stage.meta.get("pool"),
        retry_policy=dg.RetryPolicy(max_retries=retries, delay=5, backoff=dg.Backoff.EXPONENTIAL) if retries else None,
    )
    def reproduce_stage(
        context: dg.AssetExecutionContext, config: StageConfig
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        die_with_parent()  # a killed run takes its steps with it
        started = time.monotonic()
        try:
            outcome = reproduce(project.root, stage.name, context.log.info, force=config.force)
        except StageFailedError as error:
            raise dg.Failure(f"{stage.name} failed:\n{error}", allow_retries=True) from error
        yield _result(project, stage.name, outcome, time.monotonic() - started)
        yield from check_results(project.root, stage.name, specs)
        if drifts:
            yield drift_result(project.root)

    return reproduce_stage


def _result(project: DvcProject, stage: str, outcome: Outcome, seconds: float) -> dg.MaterializeResult:
    version = project.recorded_data_version(stage)
    if version is None:
        raise dg.Failure(f"{stage}: `dvc repro` succeeded, but dvc.lock holds no hash of its output")
    metadata: dict[str, Any] = {"outcome": str(outcome), "seconds": round(seconds, 1), **project.metrics(stage)}
    plot = curves(project.root / "data" / stage / "history.csv")
    if plot:
        metadata["curves"] = dg.MetadataValue.md(plot)
    if (page := project.root / "data" / stage / "index.html").is_file():
        metadata["page"] = dg.MetadataValue.url(page.as_uri())
    return dg.MaterializeResult(asset_key=stage, data_version=dg.DataVersion(version), metadata=metadata)
