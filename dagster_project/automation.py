"""Jobs, schedules and sensors."""

import dagster as dg

from dagster_project.dagster_internals import BaseAssetGraph, UnresolvedAssetJobDefinition
from dagster_project.dvc.mirror import find_missing_events, mirror
from dagster_project.dvc.project import DvcProject
from dagster_project.schedules import Schedules
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

    @dg.schedule(
        name="retrain",
        job_name=MAIN_JOB,
        cron_schedule=times.retrain,
        execution_timezone=times.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
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
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Crawl the sources again.",
    )
    return [ingest, retrain]


def sensors(project: DvcProject) -> list[dg.SensorDefinition]:
    """A sensor for changes made outside Dagster, and a sensor for changes of the sources."""
    times = load("schedules", Schedules, project.root)

    @dg.sensor(
        name="outside_changes",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Report changes made outside Dagster: `dvc repro`, `git checkout`, `dvc exp apply`, lost outputs.",
    )
    def outside_changes(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if context.instance.get_runs_count(dg.RunsFilter(statuses=IN_PROGRESS)):
            return dg.SkipReason("A run is in progress and reports its own events.")
        events = find_missing_events(project, context.instance)
        return dg.SensorResult(asset_events=events) if events else dg.SkipReason("Dagster and DVC agree.")

    @dg.sensor(
        name="source_changes",
        job_name=INGEST_JOB,
        minimum_interval_seconds=times.source_poll_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ask each source for its newest change, and start an ingest if there is a new one.",
    )
    def source_changes(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        # Imported here because the import takes over a second and every command loads these definitions.
        from assets.catalog.change_detection import ChangeDetectionError, compute_change_token

        try:
            newest = compute_change_token(project.root)
        except ChangeDetectionError as error:
            return dg.SkipReason(str(error))
        if newest == context.cursor:
            return dg.SkipReason("No source has changed.")
        requests = [dg.RunRequest(run_key=newest)] if context.cursor else []
        return dg.SensorResult(run_requests=requests, cursor=newest)

    return [outside_changes, source_changes]


IN_PROGRESS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def _graph(context: dg.ScheduleEvaluationContext) -> BaseAssetGraph:
    repository = context.repository_def
    assert repository is not None, "the scheduler always sets repository_def"
    return repository.asset_graph
