"""Jobs, schedules and sensors."""

import dagster as dg

from dagster_project.dagster_internals import BaseAssetGraph, UnresolvedAssetJobDefinition
from dagster_project.dvc.mirror import find_missing_events, mirror
from dagster_project.dvc.project import DvcProject
from dagster_project.orphaned_runs import orphaned_runs_sensor, runs_in_progress
from dagster_project.schedules import Schedules
from dagster_project.source_changes import source_changes_sensor
from dagster_project.staleness import find_stale_assets
from heddle.core.parameters.section import load

MAIN_JOB = "main"
INGEST_JOB = "ingest"
INGEST_STAGE = "catalog"
FORCED_INGEST = {"ops": {INGEST_STAGE: {"config": {"force": True}}}}


def jobs() -> list[UnresolvedAssetJobDefinition]:
    """The main job (all assets) and the ingest job (``catalog`` only)."""
    return [
        dg.define_asset_job(
            MAIN_JOB, dg.AssetSelection.all(), description="Crawl, train, evaluate, index and register."
        ),
        dg.define_asset_job(
            INGEST_JOB,
            dg.AssetSelection.assets(INGEST_STAGE),
            config=FORCED_INGEST,
            description="Crawl the sources again, even if no file of the project changed.",
        ),
    ]


def schedules(project: DvcProject) -> list[dg.ScheduleDefinition]:
    """Schedules `ingest` and `retrain`, at the times in section `schedules` of params.yaml."""
    times = load("schedules", Schedules, project.root)
    status = dg.DefaultScheduleStatus.RUNNING if times.enabled else dg.DefaultScheduleStatus.STOPPED

    @dg.schedule(
        name="retrain",
        job_name=MAIN_JOB,
        cron_schedule=times.retrain,
        execution_timezone=times.timezone,
        default_status=status,
        description="Run all stale assets, and only these.",
    )
    def retrain(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        mirror(project, context.instance)
        names = find_stale_assets(project, _graph(context), context.instance)
        if not names:
            return dg.SkipReason("Everything is up to date.")
        return dg.RunRequest(asset_selection=[dg.AssetKey(name) for name in sorted(names)])

    ingest = dg.ScheduleDefinition(
        name="ingest",
        job_name=INGEST_JOB,
        cron_schedule=times.ingest,
        execution_timezone=times.timezone,
        default_status=status,
        description="Crawl the sources again.",
    )
    return [ingest, retrain]


def sensors(project: DvcProject) -> list[dg.SensorDefinition]:
    """Sensors for changes made outside Dagster, for killed runs and for changes of the sources."""
    times = load("schedules", Schedules, project.root)

    @dg.sensor(
        name="outside_changes",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Report changes made outside Dagster: `dvc repro`, `git checkout`, `dvc exp apply`, lost outputs.",
    )
    def outside_changes(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if runs_in_progress(context.instance):
            return dg.SkipReason("A run is in progress and reports its own events.")
        events = find_missing_events(project, context.instance)
        return dg.SensorResult(asset_events=events) if events else dg.SkipReason("Dagster and DVC agree.")

    return [outside_changes, orphaned_runs_sensor(), source_changes_sensor(project, times, INGEST_JOB)]


def _graph(context: dg.ScheduleEvaluationContext) -> BaseAssetGraph:
    repository = context.repository_def
    assert repository is not None, "the scheduler always sets repository_def"
    return repository.asset_graph
