"""The sensor ``source_changes``: start an ingest when a source has changed.

Its cursor holds the tokens of the last successful ingest. The tokens of a launched ingest replace them only after that
ingest succeeded, so a failed one is tried again at the next poll.
"""

import json
from dataclasses import asdict, dataclass, replace

import dagster as dg

from dagster_project.dvc.project import DvcProject
from dagster_project.orphaned_runs import IN_PROGRESS
from dagster_project.schedules import Schedules

SENSOR = "source_changes"
LAUNCH_TAG = "heddle/source_changes"


@dataclass(frozen=True)
class SourceCursor:
    """What the sensor remembers.

    Attributes:
        seen: token of each source at the last successful ingest, or at the first poll.
        pending: tokens at the launch of the last ingest; None if its result is known.
        launches: number of launched ingests. It makes the run keys of repeated launches differ.
    """

    seen: dict[str, str]
    pending: dict[str, str] | None = None
    launches: int = 0

    @classmethod
    def parse(cls, text: str | None) -> "SourceCursor | None":
        """Read a cursor; None before the first poll, or if an older version wrote it."""
        try:
            return cls(**json.loads(text or ""))
        except (ValueError, TypeError):
            return None

    def dump(self) -> str:
        """Write the cursor for :meth:`parse`."""
        return json.dumps(asdict(self), sort_keys=True)

    @property
    def run_key(self) -> str:
        """Key of the last launched ingest."""
        return f"{SENSOR}-{self.launches}"


def poll(context: dg.SensorEvaluationContext, tokens: dict[str, str], failures: dict[str, str]) -> dg.SensorResult:
    """Decide on one poll.

    Args:
        context: of the sensor.
        tokens: change token of each source that answered.
        failures: a message for each source that did not; its last token stays.
    """
    for failure in failures.values():
        context.log.warning(failure)
    unchecked = "".join(f" Not checked: {failure}." for failure in failures.values())
    cursor = SourceCursor.parse(context.cursor)
    if cursor is None:
        first = SourceCursor(tokens).dump()
        return dg.SensorResult(skip_reason=f"The first poll only records the sources.{unchecked}", cursor=first)
    status = _status_of_launch(context.instance, cursor)
    if status in IN_PROGRESS:
        return dg.SensorResult(skip_reason="The last ingest is in progress.", cursor=cursor.dump())
    if cursor.pending is not None:
        succeeded = status is dg.DagsterRunStatus.SUCCESS
        cursor = replace(cursor, seen=cursor.pending if succeeded else cursor.seen, pending=None)
    newest = {name: token for name, token in cursor.seen.items() if name in failures} | tokens
    if newest == cursor.seen:
        return dg.SensorResult(skip_reason=f"No source has changed.{unchecked}", cursor=cursor.dump())
    cursor = replace(cursor, pending=newest, launches=cursor.launches + 1)
    request = dg.RunRequest(run_key=cursor.run_key, tags={LAUNCH_TAG: cursor.run_key})
    return dg.SensorResult(run_requests=[request], cursor=cursor.dump())


def _status_of_launch(instance: dg.DagsterInstance, cursor: SourceCursor) -> dg.DagsterRunStatus | None:
    """Status of the launched ingest whose result is not known; None if there is none, or if its run was deleted."""
    if cursor.pending is None:
        return None
    runs = instance.get_runs(dg.RunsFilter(tags={LAUNCH_TAG: cursor.run_key}), limit=1)
    return runs[0].status if runs else None


def source_changes_sensor(project: DvcProject, times: Schedules, job: str) -> dg.SensorDefinition:
    """The sensor, which launches ``job``."""

    @dg.sensor(
        name=SENSOR,
        job_name=job,
        minimum_interval_seconds=times.source_poll_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING if times.enabled else dg.DefaultSensorStatus.STOPPED,
        description="Ask each source for its newest change, and start an ingest if there is a new one.",
    )
    def source_changes(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        # Imported here because the import takes over a second and every command loads these definitions.
        from assets.catalog.change_detection import compute_change_tokens

        return poll(context, *compute_change_tokens(project.root))

    return source_changes
