"""The workspace and who owns it: one run at a time, and runs that died are not in the way."""

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
DAEMON_SILENCE = 300  # seconds after which a daemon counts as gone


class WorkspaceError(UserError):
    """The workspace cannot be used at present; the message says why and what to do."""


def open_instance(root: Path) -> dg.DagsterInstance:
    """The Dagster instance of this project; its state lies in ``.heddle/``."""
    if not (root / "dvc.yaml").is_file():
        raise WorkspaceError(f"{root} holds no dvc.yaml: run heddle in the project's root")
    os.environ["DAGSTER_HOME"] = str(root)
    (root / STATE).mkdir(exist_ok=True)
    return dg.DagsterInstance.get()


@contextmanager
def owned(root: Path, instance: dg.DagsterInstance) -> Iterator[None]:
    """Own the workspace for the length of a run. The kernel lets go of it even when this process is killed.

    Raises:
        WorkspaceError: another run owns it.
    """
    lock = FileLock(root / STATE / "workspace.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise WorkspaceError("another `heddle run` is at work in this folder; wait for it or end it") from None
    try:
        _bury_dead_runs(instance)
        yield
    finally:
        lock.release()


def _bury_dead_runs(instance: dg.DagsterInstance) -> None:
    """Mark runs whose process was killed as failed and free their pools; refuse to run beside a live one."""
    for run in instance.get_runs(dg.RunsFilter(statuses=IN_PROGRESS)):
        if STARTED_BY_HEDDLE not in run.tags and _daemon_is_alive(instance):
            raise WorkspaceError(
                f"run {run.run_id[:8]} was started from the Dagster UI and is {run.status.value.lower()}; "
                "wait for it or terminate it there"
            )
        instance.report_run_failed(run, "Its process was killed before it ended.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _daemon_is_alive(instance: dg.DagsterInstance) -> bool:
    beats = [beat.timestamp for beat in instance.get_daemon_heartbeats().values()]
    return bool(beats) and time.time() - max(beats) < DAEMON_SILENCE
