"""Dagster assets for the stages of ``dvc.yaml``. Each stage is one op, so pools and retries are per stage."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from dagster_project.checks import check_results, check_specs, read_gates
from dagster_project.drift import STAGE as DRIFT_STAGE
from dagster_project.drift import drift_check_spec, run_drift_check
from dagster_project.dvc.plots import plot_history
from dagster_project.dvc.project import DvcProject, StageState
from dagster_project.dvc.runner import StageFailedError, StageOutcome, reproduce
from dagster_project.dvc.translator import DagsterDvcTranslator
from heddle.core.processes import die_with_parent
from heddle.evaluation.gate_parameters import GatesSection


class StageConfig(dg.Config):
    """Run configuration of a stage.

    Attributes:
        force: run the command even if nothing changed. The ingest schedule sets it for ``catalog``.
    """

    force: bool = False


def dvc_assets(project: DvcProject, translator: DagsterDvcTranslator) -> list[dg.AssetsDefinition]:
    """Build one asset for each stage of the project, upstream first."""
    gates = read_gates(project.root)
    return [_stage_asset(project, stage, gates, translator) for stage in project.graph.values()]


def _stage_asset(
    project: DvcProject, stage: StageState, gates: GatesSection, translator: DagsterDvcTranslator
) -> dg.AssetsDefinition:
    specs: Sequence[dg.AssetCheckSpec] = check_specs(gates, stage.name)
    drifts = [drift_check_spec()] if stage.name == DRIFT_STAGE else []
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
        die_with_parent()  # a step must end when its run is killed
        started = time.monotonic()
        try:
            outcome = reproduce(project.root, stage.name, context.log.info, force=config.force)
        except StageFailedError as error:
            raise dg.Failure(f"{stage.name} failed:\n{error}", allow_retries=True) from error
        yield _result(project, stage.name, outcome, time.monotonic() - started)
        yield from check_results(project.root, stage.name, specs)
        if drifts:
            yield run_drift_check(project.root)

    return reproduce_stage


def _result(project: DvcProject, stage: str, outcome: StageOutcome, seconds: float) -> dg.MaterializeResult:
    version = project.recorded_data_version(stage)
    if version is None:
        raise dg.Failure(f"{stage}: `dvc repro` succeeded, but dvc.lock contains no hash of the output")
    if problem := project.explain_missing_cache(stage):
        raise dg.Failure(f"{stage}: `dvc repro` exited with 0, but {problem}")
    metadata: dict[str, Any] = {"outcome": str(outcome), "seconds": round(seconds, 1), **project.metrics(stage)}
    plot = plot_history(project.root / "data" / stage / "history.csv")
    if plot:
        metadata["curves"] = dg.MetadataValue.md(plot)
    if (page := project.root / "data" / stage / "index.html").is_file():
        metadata["page"] = dg.MetadataValue.url(page.as_uri())
    return dg.MaterializeResult(asset_key=stage, data_version=dg.DataVersion(version), metadata=metadata)
