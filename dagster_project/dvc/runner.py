"""Reproduce one stage with ``dvc repro`` and return the outcome."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path

from heddle.core.processes import die_with_parent


class StageOutcome(StrEnum):
    """Outcome of ``dvc repro`` for a stage."""

    RAN = "ran"
    RESTORED = "restored from the run cache"
    UNCHANGED = "unchanged"


class StageFailedError(Exception):
    """A stage failed. The message contains the last lines of its output."""


OUTCOMES = {
    StageOutcome.RAN: re.compile(r"^Running stage '"),
    StageOutcome.RESTORED: re.compile(r"^Stage '.*' is cached - skipping run"),
    StageOutcome.UNCHANGED: re.compile(r"^Stage '.*' didn't change, skipping"),
}
HINTS = re.compile(r"^(To track the changes|\s+git add |To enable auto staging|\s+dvc config |Use `dvc push`|\s*$)")
DVC = "dagster_project.dvc.dvc_command"
EXIT_CODE = re.compile(r"exited with (-?\d+)$")
SHELL_SIGNAL = 128  # added by a shell to the number of the signal that ended its program
TAIL = 30  # last lines of a failed stage that the error contains


def reproduce(root: Path, stage: str, on_line: Callable[[str], None], *, force: bool = False) -> StageOutcome:
    """Bring one stage up to date. Its inputs must be up to date.

    Args:
        root: project root.
        stage: name of a stage in ``dvc.yaml``.
        on_line: called with each line that DVC and the stage print.
        force: run even if nothing changed, without the run cache.

    Raises:
        StageFailedError: the stage or DVC failed.
    """
    # Always --single-item: two plain repros with a common upstream stage collide (iterative/dvc#11054).
    command = [sys.executable, "-m", DVC, "--wait-for-lock", "repro", "--single-item", stage]
    process = subprocess.Popen(
        [*command, "--force"] if force else command,
        cwd=root,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=partial(die_with_parent, os.getpid()),
    )
    outcome, lines = None, []
    try:
        assert process.stdout is not None
        for raw in process.stdout:
            line = raw.rstrip()
            if HINTS.match(line):
                continue
            outcome = next((found for found, pattern in OUTCOMES.items() if pattern.match(line)), outcome)
            lines.append(line)
            on_line(line)
        code = process.wait()
    finally:
        if process.poll() is None:  # interrupted: end the stage too
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if code or outcome is None:
        raise StageFailedError(_reason(lines) or f"`dvc repro` exited with code {code} and printed nothing")
    return outcome


def _reason(lines: list[str]) -> str:
    """The last lines of a failed stage, and the signal that ended it, if one did."""
    printed = [line for line in lines if not line.startswith(("Running stage", "> "))]
    # DVC's last line adds nothing to what the stage printed, unless a signal ended the stage.
    from_stage = [line for line in printed if not line.startswith("ERROR: failed to reproduce")]
    from_stage += [name for line in printed if (name := _ended_by(line))]
    return "\n".join((from_stage or printed)[-TAIL:])


def _ended_by(line: str) -> str | None:
    """What DVC's line says about a signal that ended the stage; None if no signal did."""
    match = EXIT_CODE.search(line) if line.startswith("ERROR: failed to reproduce") else None
    code = int(match[1]) if match else 0
    number = -code if code < 0 else code - SHELL_SIGNAL  # the signal ended the stage's shell, or the program in it
    if number not in set(signal.Signals):
        return None
    name = signal.Signals(number).name
    hint = "; the kernel sends it when memory runs out (`journalctl -k`)" if number == signal.SIGKILL else ""
    return f"{name} ended the stage{hint}"


def environment() -> dict[str, str]:
    """Environment of a stage: the programs of this Python come first in PATH, and output is unbuffered."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1", "DVC_NO_ANALYTICS": "1"}
