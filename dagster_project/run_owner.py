"""The process that executes a run, and whether it is still alive."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
        started: its start as :func:`exact_start` gives it, or a later time at which it was seen, in seconds since the
            epoch.
    """

    pid: int
    started: str | float

    def is_alive(self) -> bool:
        """Whether the process runs. A process with this id that started later is another one: ids are reused."""
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            if isinstance(self.started, str):
                return exact_start(process) == self.started
            return process.create_time() <= self.started + CLOCK_CORRECTION
        except psutil.NoSuchProcess:
            return False


def exact_start(process: psutil.Process) -> str:
    """When the process started, as no correction of the clock changes it: on Linux the boot and the ticks since then.

    In a container every start of `heddle run` may have the same id, and the next one may follow within a second.

    Raises:
        psutil.NoSuchProcess: it has ended.
    """
    if sys.platform != "linux":
        return repr(process.create_time())
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()  # a name may contain spaces
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(process.pid) from None
    ticks = fields[19]  # field 22 of proc_pid_stat(5); the first one after the name is the third
    return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {ticks}"


def owner_tags() -> Mapping[str, str]:
    """Tags of a run that this process executes."""
    process = psutil.Process()
    return {PID_TAG: str(process.pid), STARTED_TAG: exact_start(process)}


def find_owner(instance: dg.DagsterInstance, run: dg.DagsterRun) -> RunOwner | None:
    """The owner of a run; None if no process has claimed it, for example while it is queued.

    `heddle run` writes the tags. A run that was launched from the UI or by a schedule has none: there, the process that
    Dagster starts for the run reports its id as the first event.
    """
    if PID_TAG in run.tags:
        return RunOwner(int(run.tags[PID_TAG]), run.tags[STARTED_TAG])
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        metadata = entry.get_dagster_event().engine_event_data.metadata
        if "pid" in metadata:
            return RunOwner(int(str(metadata["pid"].value)), entry.timestamp)
    return None
