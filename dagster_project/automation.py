"""When what runs: jobs, schedules and sensors."""

import dagster as dg
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from dagster_project.dvc.mirror import mirror, runless_events
from dagster_project.dvc.project import DvcProject
from dagster_project.schedules import Schedules
from dagster_project.staleness import must_run
from heddle.core.parameters.section import load

MAIN_JOB = "main"
INGEST_JOB = "ingest"
INGEST_STAGE = "catalog"
FORCED_INGEST = {"ops": {INGEST_STAGE: {"config": {"force": True}}}}


def jobs() -> list[UnresolvedAssetJobDefinition]:
    """The main job over the whole graph, and the ingest job over ``catalog`` alone."""
    return [
        dg.define_asset_job(
            MAIN_JOB, dg.AssetSelection.all(), description="From crawl to registered models and index."
        ),
        dg.define_asset_job(
            INGEST_JOB,
            dg.AssetSelection.assets(INGEST_STAGE),
            config=FORCED_INGEST,
            description="Crawl the sources anew, even though nothing in the project changed.",
        ),
    ]


def schedules(project: DvcProject) -> list[dg.ScheduleDefinition]:
    """Ingest and retrain, at the times that ``params.yaml`` gives."""
    times = load("schedules", Schedules, project.root)

    @dg.schedule(
        name="retrain",
        job_name=MAIN_JOB,
        cron_schedule=times.retrain,
        execution_timezone=times.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Everything stale, and nothing else.",
    )
    def retrain(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        mirror(project, context.instance)
        names = must_run(project, _graph(context), context.instance)
        if not names:
            return dg.SkipReason("Everything is up to date.")
        return dg.RunRequest(asset_selection=[dg.AssetKey(name) for name in sorted(names)])

    ingest = dg.ScheduleDefinition(
        name="ingest",
        job_name=INGEST_JOB,
        cron_schedule=times.ingest,
        execution_timezone=times.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Crawl the sources anew.",
    )
    return [ingest, retrain]


def sensors(project: DvcProject) -> list[dg.SensorDefinition]:
    """The mirror of what is done outside Dagster, and the watch on the sources."""
    times = load("schedules", Schedules, project.root)

    @dg.sensor(
        name="outside_changes",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Mirrors `dvc repro` in a terminal, `git checkout`, `dvc exp apply` and lost or altered outputs.",
    )
    def outside_changes(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if context.instance.get_runs_count(dg.RunsFilter(statuses=IN_PROGRESS)):
            return dg.SkipReason("A run is in progress; what it does is not news.")
        events = runless_events(project, context.instance)
        return dg.SensorResult(asset_events=events) if events else dg.SkipReason("Dagster and DVC agree.")

    @dg.sensor(
        name="source_news",
        job_name=INGEST_JOB,
        minimum_interval_seconds=times.source_poll_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks each source for its newest change and starts an ingest when there is one.",
    )
    def source_news(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        # Not above: it takes a second and more, and every command loads these definitions.
        from assets.catalog.change_detection import ChangeDetectionError, compute_change_token

        try:
            newest = compute_change_token(project.root)
        except ChangeDetectionError as error:
            return dg.SkipReason(str(error))
        if newest == context.cursor:
            return dg.SkipReason("No source has changed.")
        requests = [dg.RunRequest(run_key=newest)] if context.cursor else []
        return dg.SensorResult(run_requests=requests, cursor=newest)

    return [outside_changes, source_news]


IN_PROGRESS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def _graph(context: dg.ScheduleEvaluationContext) -> BaseAssetGraph:
    repository = context.repository_def
    assert repository is not None, "the scheduler always gives the repository"
    return repository.asset_graph
