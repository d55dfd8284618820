"""The workspace lock: one run at a time, and runs that nobody executes are ended first."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout
from rich.console import Console

from dagster_project.orphaned_runs import cancel_unclaimed_runs, fail_orphaned_runs, find_daemon, runs_in_progress
from dagster_project.run_owner import find_owner
from heddle.core.errors import UserError

STATE = Path(".heddle")


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
def own_workspace(root: Path, instance: dg.DagsterInstance, console: Console) -> Iterator[None]:
    """Hold the workspace lock during a run. The kernel releases the lock even if this process is killed.

    Raises:
        WorkspaceError: another run holds the lock, or a run from the Dagster UI is queued or executed.
    """
    lock = FileLock(root / STATE / "workspace.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise WorkspaceError("another `heddle run` is running in this folder; wait for it or stop it") from None
    try:
        end_orphaned_runs(root, instance, console)
        _refuse_runs_in_progress(root, instance)
        yield
    finally:
        lock.release()


def end_orphaned_runs(root: Path, instance: dg.DagsterInstance, console: Console) -> None:
    """Fail killed runs, and cancel unclaimed runs if no daemon will execute them. Print a line for each."""
    for run in fail_orphaned_runs(instance):
        console.print(f"Run {run.run_id[:8]} is marked as failed: its process was killed.")
    if find_daemon(root) is None:
        for run in cancel_unclaimed_runs(instance):
            console.print(f"Run {run.run_id[:8]} is canceled: it was queued, and no Dagster daemon is running.")


def _refuse_runs_in_progress(root: Path, instance: dg.DagsterInstance) -> None:
    for run in runs_in_progress(instance):
        owner = find_owner(instance, run)
        name, status = f"run {run.run_id[:8]}", run.status.value.lower()
        if owner is not None:
            raise WorkspaceError(
                f"{name} was started from the Dagster UI or by a schedule and is {status} (process {owner.pid}); "
                f"wait for it, terminate it in the UI, or end the process with `kill {owner.pid}`"
            )
        raise WorkspaceError(
            f"{name} is {status}, and the Dagster daemon (process {find_daemon(root)}) will execute it; "
            "wait for it, terminate it in the UI, or close the UI"
        )
