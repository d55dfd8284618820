"""Runs that nobody executes: runs whose process was killed, and queued runs without a daemon."""

import os
from pathlib import Path

import dagster as dg
import psutil

from dagster_project.run_owner import find_owner

IN_PROGRESS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
KILLED = "The process of this run was killed."
NO_DAEMON = "The Dagster daemon, which would have executed this run, was closed."


def runs_in_progress(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Queued, starting, started and canceling runs, newest first."""
    return list(instance.get_runs(dg.RunsFilter(statuses=IN_PROGRESS)))


def fail_orphaned_runs(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Mark runs whose process was killed as failed and free their pool slots. Returns these runs."""
    failed = []
    for run in runs_in_progress(instance):
        owner = find_owner(instance, run)
        if owner is None or owner.is_alive():
            continue
        last = instance.get_run_by_id(run.run_id)  # the process may have completed the run since it was listed
        if last is not None and last.status in IN_PROGRESS:
            instance.report_run_failed(last, KILLED)
            instance.event_log_storage.free_concurrency_slots_for_run(last.run_id)
            failed.append(last)
    return failed


def cancel_unclaimed_runs(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Cancel runs that no process has claimed. Returns these runs. Call it only if no daemon is alive."""
    canceled = [run for run in runs_in_progress(instance) if find_owner(instance, run) is None]
    for run in canceled:
        instance.report_run_canceled(run, NO_DAEMON)
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return canceled


def find_daemon(root: Path) -> int | None:
    """Process id of the Dagster daemon of this project; None if there is none.

    The process table, not the heartbeats: those stay fresh for minutes after the daemon was closed.
    """
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            if any("dagster._daemon" in part or "dagster-daemon" in part for part in command):
                home = process.environ().get("DAGSTER_HOME", "")
                if home and os.path.realpath(home) == os.path.realpath(root):
                    return process.pid
        except psutil.Error:  # the process has ended, or it is another user's
            continue
    return None


def orphaned_runs_sensor() -> dg.SensorDefinition:
    """The sensor ``orphaned_runs``. Without it, a killed run would block the queue: one run at a time is started."""

    @dg.sensor(
        name="orphaned_runs",
        minimum_interval_seconds=10,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Mark runs whose process was killed as failed, so that queued runs start.",
    )
    def orphaned_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        failed = fail_orphaned_runs(context.instance)
        names = ", ".join(run.run_id[:8] for run in failed)
        return dg.SkipReason(f"Marked as failed: {names}." if failed else "No process of a run was killed.")

    return orphaned_runs
