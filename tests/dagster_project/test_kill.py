"""A killed run leaves nothing that the next one trips over: it completes, and every hash is an undisturbed run's."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

PATIENCE = 180
"""Seconds after which something hangs, however busy the machine is."""


@contextmanager
def _started(toy) -> Iterator[subprocess.Popen]:
    """``heddle run``, with its output in ``output.txt``.

    DVC runs a stage in the user's shell. Without one it takes ``/bin/sh``, which may stay until the stage has ended,
    while bash makes the stage take its place.
    """
    command = [sys.executable, "-m", "heddle.cli", "run"]
    environment = {name: value for name, value in os.environ.items() if name != "SHELL"}
    with (toy.root / "output.txt").open("w") as output:
        run = subprocess.Popen(command, cwd=toy.root, env=environment, stdout=output, stderr=output)
    try:
        yield run
    finally:
        run.kill()  # where the test failed; its steps die with it
        run.wait()


def _find(run: subprocess.Popen, words: str) -> psutil.Process:
    """The innermost process below the run whose command ends so: a stage's program, not its shell."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and run.poll() is None:
        for process in reversed(psutil.Process(run.pid).children(recursive=True)):
            try:
                if " ".join(process.cmdline()).endswith(words):
                    return process
            except psutil.Error:
                continue
        time.sleep(0.1)
    raise AssertionError(f"no process {words!r} was started; the run's exit code: {run.poll()}")


def _wait_for_output(toy, text: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while text not in (toy.root / "output.txt").read_text():
        assert time.monotonic() < deadline, f"{text!r} was not printed"
        time.sleep(0.1)


def _victim(run: subprocess.Popen, stage: str, victim: str) -> psutil.Process:
    program = _find(run, f"stage.py {stage}")
    if victim == "stage":
        return program
    if victim == "step":
        return next(parent.parent() for parent in program.parents() if "repro" in parent.cmdline())
    return psutil.Process(run.pid)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["catalog", "encoder"])
@pytest.mark.parametrize("victim", ["stage", "step", "run"])
def test_the_next_run_completes_with_the_same_bytes(fresh, completed_hashes, stage, victim):
    fresh.write(f"slow-{stage}", "the stage waits for this file to go")
    with _started(fresh) as run:
        _find(run, f"stage.py {stage}")
        _wait_for_output(fresh, f"[{stage}] at work")  # the signal must be reported beside what the stage printed
        below = psutil.Process(run.pid).children(recursive=True)
        _victim(run, stage, victim).send_signal(signal.SIGKILL)
        if victim == "run":  # while the stage still waits for its file to go, so that it cannot just have finished
            _, alive = psutil.wait_procs(below, timeout=PATIENCE)
            assert not alive, "a killed run must take its stage with it"
        (fresh.root / f"slow-{stage}").unlink()
        run.wait(timeout=PATIENCE)
        _, alive = psutil.wait_procs(below, timeout=PATIENCE)
        assert not alive
    if victim != "run" and stage == "encoder":  # Dagster tries catalog again
        output = " ".join((fresh.root / "output.txt").read_text().split())
        reason = "its process ended without a message" if victim == "step" else "SIGKILL ended the stage"
        assert f"{stage} failed: " in output
        assert reason in output

    ended = fresh.heddle("run")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert fresh.hashes() == completed_hashes
    assert not fresh.changed()
