"""The workspace lock: one run at a time, and orphaned runs are marked as failed."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout

from dagster_project.automation import IN_PROGRESS
from heddle.core.errors import UserError

STATE = Path(".heddle")
STARTED_BY_HEDDLE = "heddle/started_by"
DAEMON_SILENCE = 300  # seconds without a heartbeat after which the daemon counts as stopped


class WorkspaceError(UserError):
    """The workspace cannot be used now. The message gives the reason and the fix."""


def open_instance(root: Path) -> dg.DagsterInstance:
    """The Dagster instance of this project. Its state is in ``.heddle/``."""
    if not (root / "dvc.yaml").is_file():
        raise WorkspaceError(f"no dvc.yaml in {root}; run the command in the project root")
    os.environ["DAGSTER_HOME"] = str(root)
    (root / STATE).mkdir(exist_ok=True)
    return dg.DagsterInstance.get()


@contextmanager
def own_workspace(root: Path, instance: dg.DagsterInstance) -> Iterator[None]:
    """Hold the workspace lock during a run. The kernel releases the lock even if this process is killed.

    Raises:
        WorkspaceError: another run holds the lock.
    """
    lock = FileLock(root / STATE / "workspace.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise WorkspaceError("another `heddle run` is running in this folder; wait for it or stop it") from None
    try:
        _fail_orphaned_runs(instance)
        yield
    finally:
        lock.release()


def _fail_orphaned_runs(instance: dg.DagsterInstance) -> None:
    """Mark runs whose process was killed as failed and free their pool slots.

    Raises:
        WorkspaceError: a run that was started from the Dagster UI is still running.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=IN_PROGRESS)):
        if STARTED_BY_HEDDLE not in run.tags and _daemon_is_alive(instance):
            raise WorkspaceError(
                f"run {run.run_id[:8]} was started from the Dagster UI and is {run.status.value.lower()}; "
                "wait for it or terminate it in the UI"
            )
        instance.report_run_failed(run, "The process of this run was killed.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _daemon_is_alive(instance: dg.DagsterInstance) -> bool:
    beats = [beat.timestamp for beat in instance.get_daemon_heartbeats().values()]
    return bool(beats) and time.time() - max(beats) < DAEMON_SILENCE
