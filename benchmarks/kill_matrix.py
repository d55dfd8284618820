"""Kill each kind of process at work on each of several stages, in several surroundings, and look at what is left.

A clone of the project at smoke scale is run once. For each cell of the matrix one stage is made stale and run again,
and one process is killed with SIGKILL while the stage is at work: the stage's program, the Dagster step around it,
`heddle run`, or the daemon of a `heddle ui` that runs the stage. A cell passes if one second later no process of the
killed run is alive, the next `heddle run` completes, `dvc.lock` is that of the undisturbed run, and no Dagster run is
left open.

The surroundings are a plain process, process 1 of a PID namespace as in a container (needs root and `unshare`), and
below a subreaper as under `systemd --user` and `tini -s`.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
from ruamel.yaml import YAML

from dagster_project.workspace import open_instance
from tests.support.clones import Clone, clone
from tests.support.ui_process import running_ui

VICTIMS = ("stage", "step", "run", "daemon")
STAGES = {
    "catalog": "assets.catalog",
    "clip": "assets.clip.train",
    "writer": "assets.writer.train",
    "report": "assets.report",
}
SURROUNDINGS = ("plain", "process 1", "subreaper")
PATIENCE = 300
OPEN = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
PREFIXES = {
    "plain": [],
    "process 1": ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"],
    "subreaper": [
        sys.executable,
        "-c",
        "import ctypes, subprocess, sys; ctypes.CDLL(None).prctl(36, 1); sys.exit(subprocess.call(sys.argv[1:]))",
    ],
}


class CellFailedError(Exception):
    """A cell of the matrix does not hold; the message says what was found."""


def main() -> int:
    """Run the cells and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--victims", nargs="+", choices=VICTIMS, default=VICTIMS)
    parser.add_argument("--stages", nargs="+", choices=list(STAGES), default=list(STAGES))
    parser.add_argument("--surroundings", nargs="+", choices=SURROUNDINGS, default=SURROUNDINGS)
    parser.add_argument("--json", action="store_true", help="print one JSON object for each cell")
    options = parser.parse_args()
    cells = [(s, v, t) for s in options.surroundings for v in options.victims for t in options.stages]
    failures = 0
    with tempfile.TemporaryDirectory(prefix="kill-matrix-") as folder:
        made = clone(Path(folder) / "heddle")
        os.environ["PYTHONPATH"] = str(made.root)
        print("undisturbed run", file=sys.stderr, flush=True)
        made.run("heddle", "run")
        for number, (surrounding, victim, stage) in enumerate(cells, 1):
            started = time.monotonic()
            try:
                _run_cell(made, surrounding, victim, stage)
                outcome = "passed"
            except (CellFailedError, subprocess.TimeoutExpired, AssertionError) as error:
                outcome = f"FAILED: {error}"
                failures += 1
            seconds = round(time.monotonic() - started)
            cell = {
                "surrounding": surrounding,
                "victim": victim,
                "stage": stage,
                "outcome": outcome,
                "seconds": seconds,
            }
            line = (
                json.dumps(cell) if options.json else f"{surrounding:10} {victim:7} {stage:8} {outcome} ({seconds} s)"
            )
            print(f"[{number}/{len(cells)}] " * (not options.json) + line, flush=True)
    return 1 if failures else 0


def _run_cell(made: Clone, surrounding: str, victim: str, stage: str) -> None:
    expected = _read_lock(made.root)
    _make_stale(made.root, stage)
    if victim == "daemon":
        _kill_daemon(made.root, surrounding, stage)
    else:
        _kill_below_run(made.root, surrounding, victim, stage)
    ended = subprocess.run(
        [*PREFIXES[surrounding], sys.executable, "-m", "heddle.cli", "run"],
        cwd=made.root,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    if ended.returncode:
        raise CellFailedError(f"the next run exits with {ended.returncode}: {(ended.stdout + ended.stderr)[-400:]}")
    found = _read_lock(made.root)
    if found != expected:
        changed = sorted(name for name in expected if found.get(name) != expected[name])
        raise CellFailedError(f"dvc.lock differs: {', '.join(changed)}")
    if left := _open_runs(made.root):
        raise CellFailedError(f"Dagster runs are left: {', '.join(left)}")


def _kill_below_run(root: Path, surrounding: str, victim: str, stage: str) -> None:
    command = [*PREFIXES[surrounding], sys.executable, "-m", "heddle.cli", "run"]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        program = _wait(lambda: _find(process.pid, STAGES[stage], last=True) or _ended(process))
        run = _find(process.pid, "heddle.cli", last=False)
        below = [program, *program.parents()]
        below = below[: below.index(run) + 1]
        step = next(parent.parent() for parent in program.parents() if "repro" in parent.cmdline())
        {"stage": program, "step": step, "run": run}[victim].send_signal(signal.SIGKILL)
        time.sleep(1)
        watched = {"stage": [program], "step": below[: below.index(step) + 1], "run": below}[victim]
        _check_gone(watched)
        process.wait(timeout=PATIENCE)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _kill_daemon(root: Path, surrounding: str, stage: str) -> None:
    """Kill the daemon while a run that the UI launched is at work; the run may go on, but must come to its end."""
    with running_ui(root, prefix=PREFIXES[surrounding]) as ui:
        ui.launch("retrain")
        program = _wait(lambda: _find_anywhere(root, STAGES[stage]))
        _find(ui.process.pid, "dagster-daemon", last=False, part=True).send_signal(signal.SIGKILL)
        ui.process.wait(timeout=PATIENCE)  # `heddle ui` ends because its daemon did
        _wait(lambda: not program.is_running())
        _wait(lambda: not _processes_of(root))


def _make_stale(root: Path, stage: str) -> None:
    """Forget that a stage ran: its record in dvc.lock and all entries of the run cache."""
    file = root / "dvc.lock"
    yaml = YAML()
    content = yaml.load(file)
    del content["stages"][stage]
    yaml.dump(content, file)
    shutil.rmtree(root / ".dvc/cache/runs", ignore_errors=True)


def _find(parent: int, word: str, *, last: bool, part: bool = False) -> psutil.Process | None:
    """A process below ``parent`` with the word among its arguments, as the last one if so wanted."""
    for process in [psutil.Process(parent), *psutil.Process(parent).children(recursive=True)]:
        try:
            arguments = process.cmdline()
        except psutil.Error:
            continue
        if "-c" in arguments[:2] or not arguments or arguments[0] == "unshare":
            continue
        if (arguments[-1] == word) if last else any(word == each or (part and word in each) for each in arguments):
            return process
    return None


def _processes_of(root: Path) -> list[psutil.Process]:
    """All living processes that work in the project."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == root:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def _find_anywhere(root: Path, word: str) -> psutil.Process | None:
    for process in _processes_of(root):
        try:
            if process.cmdline()[-1:] == [word]:
                return process
        except psutil.Error:
            continue
    return None


def _check_gone(processes: list[psutil.Process]) -> None:
    alive = [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    if alive:
        raise CellFailedError(f"alive one second after the kill: {[' '.join(each.cmdline())[-60:] for each in alive]}")


def _ended(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        raise CellFailedError(f"`heddle run` ended with {process.returncode} before the stage started")


def _wait(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise CellFailedError(f"nothing happened for {PATIENCE} s")


def _read_lock(root: Path) -> dict[str, object]:
    stages: dict[str, object] = YAML(typ="safe").load(root / "dvc.lock")["stages"]
    return stages


def _open_runs(root: Path) -> list[str]:
    os.environ["DAGSTER_HOME"] = str(root)
    with open_instance(root) as instance:
        return [f"{run.run_id[:8]} {run.status.value}" for run in instance.get_runs(dg.RunsFilter(statuses=OPEN))]


if __name__ == "__main__":
    sys.exit(main())
