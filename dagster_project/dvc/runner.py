"""Reproduce one stage with DVC's own command and tell what it did."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from heddle.core.processes import die_with_parent


class Outcome(StrEnum):
    """What DVC did with a stage."""

    RAN = "ran"
    RESTORED = "restored from the run cache"
    UNCHANGED = "found unchanged"


class StageFailedError(Exception):
    """A stage did not complete; the message is what the stage itself said last."""


OUTCOMES = {
    Outcome.RAN: re.compile(r"^Running stage '"),
    Outcome.RESTORED: re.compile(r"^Stage '.*' is cached - skipping run"),
    Outcome.UNCHANGED: re.compile(r"^Stage '.*' didn't change, skipping"),
}
HINTS = re.compile(r"^(To track the changes|\s+git add |To enable auto staging|\s+dvc config |Use `dvc push`|\s*$)")
TAIL = 30  # lines of a failed stage's output that its error repeats


def reproduce(root: Path, stage: str, on_line: Callable[[str], None], *, force: bool = False) -> Outcome:
    """Bring one stage up to date; its inputs must be.

    Args:
        root: the project's root.
        stage: a stage of ``dvc.yaml``.
        on_line: called with each line that DVC and the stage print, as it comes.
        force: run even when nothing changed, and without the run cache.

    Raises:
        StageFailedError: the stage or DVC failed.
    """
    # Single-item always: two plain repros that share an upstream collide (iterative/dvc#11054).
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", stage]
    process = subprocess.Popen(
        [*command, "--force"] if force else command,
        cwd=root,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=die_with_parent,
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
        if process.poll() is None:  # interrupted: the stage goes with us
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if code or outcome is None:
        said = [line for line in lines if not line.startswith(("Running stage", "> "))]
        own = [line for line in said if not line.startswith("ERROR: failed to reproduce")]
        said = own or said  # DVC's last word repeats only that the stage failed
        raise StageFailedError("\n".join(said[-TAIL:]) or f"`dvc repro` ended with code {code} and said nothing")
    return outcome


def environment() -> dict[str, str]:
    """The environment of a stage: this Python's programs come first, and output is not held back."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1", "DVC_NO_ANALYTICS": "1"}
