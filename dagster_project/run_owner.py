"""The process that executes a run, and whether it is still alive."""

from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg
import psutil

PID_TAG = "heddle/owner_pid"
STARTED_TAG = "heddle/owner_started"
CLOCK_CORRECTION = 60
"""Seconds by which a correction of the system clock may shift the start time that the kernel reports."""


@dataclass(frozen=True)
class RunOwner:
    """The process that executes a run.

    Attributes:
        pid: its id.
        started: its start, or a later time at which it was seen; seconds since the epoch.
    """

    pid: int
    started: float

    def is_alive(self) -> bool:
        """Whether the process runs. A process with this id that started later is another one: ids are reused."""
        try:
            process = psutil.Process(self.pid)
            ended = process.status() == psutil.STATUS_ZOMBIE
            return not ended and process.create_time() <= self.started + CLOCK_CORRECTION
        except psutil.NoSuchProcess:
            return False


def owner_tags() -> Mapping[str, str]:
    """Tags of a run that this process executes."""
    process = psutil.Process()
    return {PID_TAG: str(process.pid), STARTED_TAG: repr(process.create_time())}


def find_owner(instance: dg.DagsterInstance, run: dg.DagsterRun) -> RunOwner | None:
    """The owner of a run; None if no process has claimed it, for example while it is queued.

    `heddle run` writes the tags. A run that was launched from the UI or by a schedule has none: there, the process that
    Dagster starts for the run reports its id as the first event.
    """
    if PID_TAG in run.tags:
        return RunOwner(int(run.tags[PID_TAG]), float(run.tags[STARTED_TAG]))
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        metadata = entry.get_dagster_event().engine_event_data.metadata
        if "pid" in metadata:
            return RunOwner(int(str(metadata["pid"].value)), entry.timestamp)
    return None
