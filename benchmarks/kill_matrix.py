"""Kill a process of a run, look for orphans, and run again: ``python benchmarks/kill_matrix.py --project FOLDER``.

FOLDER is a clone of the project in which `heddle run` has completed, at a small scale; it is changed. Each cell of the
matrix makes one stage stale and starts `heddle run` (or `heddle ui`, and in it a run of the stage and a queued one). As
soon as the stage works, the victim is killed with SIGKILL:

- stage: the program of the stage,
- step: Dagster's process of the stage,
- run: `heddle run`,
- daemon: the Dagster daemon of `heddle ui`.

The command is started from a shell as usual (plain), as process 1 of its own PID namespace, as in a container (pid1),
or below a process that adopts orphans, as under `systemd --user` (subreaper). One second later, a process is an orphan
if it lives though it was below the victim; another second later, if the process that started it does not live. The same
command line is then run again in the same surroundings. It must exit with 0, leave every hash of dvc.lock as it was
before, no Dagster run unfinished and no temporary folder in ``data/``.
"""

import argparse
import itertools
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
from dagster_graphql import DagsterGraphQLClient, DagsterGraphQLClientError
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

VICTIMS = ("run", "daemon", "step", "stage")
STAGES = ("report", "writer", "clip", "catalog")  # fewest stages downstream first
SURROUNDINGS = ("pid1", "subreaper", "plain")
PATIENCE = 240  # seconds after which something hangs
GRACE = 1.0  # seconds from the kill to the look at what still lives
MARK = "HEDDLE_KILL_MATRIX"
UNFINISHED = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")
REAPER = """
import ctypes, os, signal, subprocess, sys
ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
child = subprocess.Popen(sys.argv[1:]).pid
status = 1
while True:
    try:
        pid, code = os.wait()
    except ChildProcessError:
        sys.exit(status)
    if pid == child:
        status = os.waitstatus_to_exitcode(code) & 255
"""
WRAPPERS = {
    "plain": [],
    "pid1": ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"],
    "subreaper": [sys.executable, "-c", REAPER],
}


class CellError(Exception):
    """The cell failed; the message says at what."""


@dataclass
class Cell:
    """One cell of the matrix and what became of it.

    Attributes:
        problems: what is wrong; empty if the cell passed.
        seconds: that the cell took.
    """

    victim: str
    stage: str
    surroundings: str
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Project:
    """The completed clone, and what it looked like before the first kill."""

    def __init__(self, root: Path, logs: Path) -> None:
        self.root, self.logs = root, logs
        self.lock = (root / "dvc.lock").read_bytes()
        self.hashes = self.read_hashes()
        self.modules = {
            name: stage["cmd"].removeprefix("python -m ")
            for name, stage in YAML(typ="safe").load(root / "dvc.yaml")["stages"].items()
        }

    def read_hashes(self) -> dict[str, Any]:
        """Stage to the hashes of its outputs."""
        stages = YAML(typ="safe").load(self.root / "dvc.lock")["stages"]
        return {name: [out["md5"] for out in stage["outs"]] for name, stage in stages.items()}

    def make_stale(self, stage: str) -> None:
        """Forget the stage: its entry in dvc.lock and its entries in DVC's run cache."""
        yaml = YAML()
        content = yaml.load(self.lock)
        command = content["stages"].pop(stage)["cmd"]
        with (self.root / "dvc.lock").open("wb") as file:
            yaml.dump(content, file)
        for entry in (self.root / ".dvc/cache/runs").glob("*/*/*"):
            if f"cmd: {command}\n" in entry.read_text():
                shutil.rmtree(entry.parent)

    def unfinished_runs(self) -> list[str]:
        """Status and id of each Dagster run that has not ended."""
        with closing(sqlite3.connect(self.root / ".heddle/dagster/history/runs.db", timeout=30)) as database:
            rows = database.execute("select status, run_id from runs").fetchall()
        return [f"{status} {run[:8]}" for status, run in rows if status in UNFINISHED]

    def is_working(self, stage: str) -> bool:
        """Whether the stage has its temporary folder, which it makes after its imports."""
        return any((self.root / "data").glob(f".{stage}.*"))

    def marked(self, mark: str) -> list[psutil.Process]:
        """Living processes that were started with the mark in their environment."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def command(self, surroundings: str, *arguments: str) -> list[str]:
        """`heddle` in its surroundings."""
        return [*WRAPPERS[surroundings], sys.executable, "-m", "heddle.cli", *arguments]

    @contextmanager
    def started(self, mark: str, name: str, command: Sequence[str]) -> Iterator[subprocess.Popen]:
        """A command with its output in the logs. In the end, all that it has left is killed."""
        environment = {**os.environ, "PYTHONPATH": str(self.root), MARK: mark, "COLUMNS": "160"}
        with (self.logs / f"{mark}-{name}.txt").open("w") as log:
            process = subprocess.Popen(command, cwd=self.root, env=environment, stdout=log, stderr=subprocess.STDOUT)
            try:
                yield process
            finally:
                for left in self.marked(mark):
                    with suppress(psutil.Error):
                        left.kill()
                process.kill()
                process.wait()


def until(what: str, condition: Callable[[], Any]) -> Any:
    """Wait for a true value and return it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise CellError(f"{what}: not within {PATIENCE} s")


def words(process: psutil.Process) -> str:
    """Command line of a process; empty if it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def find(processes: Sequence[psutil.Process], pattern: str) -> psutil.Process:
    """The one process whose command line matches, the innermost if there are several."""
    found = [process for process in processes if re.search(pattern, words(process))]
    if not found:
        raise CellError(f"no process {pattern!r} was running")
    return max(found, key=lambda process: len(process.parents()))


def find_victim(victim: str, module: str, processes: Sequence[psutil.Process]) -> psutil.Process:
    """The process to kill."""
    if victim == "daemon":
        return find(processes, r"dagster\._daemon run")
    if victim == "run":
        return find(processes, rf"^{re.escape(sys.executable)} -m heddle\.cli run$")
    if victim == "step":
        step = find(processes, r"dvc_command .*repro .*").parent()
        if step is None:
            raise CellError("the step had ended")
        return step
    return find(processes, rf"{re.escape(module)}$")


def orphans(project: Project, mark: str, below: Sequence[psutil.Process], survivors: set[int]) -> list[str]:
    """Command lines of processes that should not live any more.

    Args:
        below: processes that were below the victim.
        survivors: processes that may live without the one that started them.
    """
    left = [process for process in project.marked(mark) if process in below]
    time.sleep(GRACE)  # helpers of a process that has just ended may still be ending, too
    living = project.marked(mark)
    ids = {process.pid for process in living}
    for process in living:
        with suppress(psutil.Error):
            if process not in left and process.ppid() not in ids and process.pid not in survivors:
                left.append(process)
    return [f"orphan {process.pid}: {words(process)[-120:] or 'ended since'}" for process in left]


def kill(project: Project, cell: Cell, mark: str) -> list[str]:
    """Kill the victim at work. Returns the processes that it left."""
    processes = project.marked(mark)
    victim = find_victim(cell.victim, project.modules[cell.stage], processes)
    below = victim.children(recursive=True)
    top = {process.pid for process in psutil.Process().children()}
    victim.kill()
    time.sleep(GRACE)
    return orphans(project, mark, below, top)


def kill_run(project: Project, cell: Cell, mark: str) -> list[str]:
    """`heddle run`, with a kill. Returns the problems."""
    with project.started(mark, "killed", project.command(cell.surroundings, "run")) as process:
        until("the stage at work", lambda: process.poll() is not None or project.is_working(cell.stage))
        if process.poll() is not None:
            raise CellError(f"the first run exited with {process.returncode} before its stage worked")
        problems = kill(project, cell, mark)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            problems.append("the run hangs after the kill")
        return problems + [f"after the run: {each}" for each in orphans(project, mark, [], set())]


def free_port() -> int:
    """A port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kill_daemon(project: Project, cell: Cell, mark: str) -> list[str]:
    """`heddle ui` with a run and a queued one, and a kill of its daemon. Returns the problems."""
    port = free_port()
    command = project.command(cell.surroundings, "ui", "--port", str(port))
    with project.started(mark, "killed", command) as process:
        until("the UI answers", lambda: process.poll() is not None or answers(port))
        client = DagsterGraphQLClient("127.0.0.1", port_number=port)
        client.submit_job_execution("main", asset_selection=[cell.stage])
        until("the stage at work", lambda: process.poll() is not None or project.is_working(cell.stage))
        client.submit_job_execution("main", asset_selection=[cell.stage])
        worker = find(project.marked(mark), "dvc_command .*repro").parent()
        survivors = {each.pid for each in worker.parents()} if worker else set()
        problems = [each for each in kill(project, cell, mark) if int(each.split()[1].strip(":")) not in survivors]
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            problems.append("the UI hangs without its daemon")
        try:
            until("the run ended", lambda: not project.marked(mark))
        except CellError:
            problems += [f"after the UI: {words(each)[-120:]}" for each in project.marked(mark)]
        return problems


def answers(port: int) -> bool:
    """Whether the UI has loaded the project."""
    query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"
    try:
        return bool(DagsterGraphQLClient("127.0.0.1", port_number=port)._execute(query))
    except (DagsterGraphQLClientError, OSError):
        return False


def run_again(project: Project, cell: Cell, mark: str) -> list[str]:
    """The next run. Returns what is wrong after it."""
    problems = []
    with project.started(f"{mark}-next", "next", project.command(cell.surroundings, "run")) as process:
        try:
            if process.wait(PATIENCE * 2):
                log = (project.logs / f"{mark}-next-next.txt").read_text().strip()
                problems.append(f"the next run exited with {process.returncode}: {log[-300:]}")
        except subprocess.TimeoutExpired:
            problems.append("the next run hangs")
    hashes = project.read_hashes()
    if differing := sorted(name for name in project.hashes if hashes.get(name) != project.hashes[name]):
        problems.append(f"other hashes: {', '.join(differing)}")
    if unfinished := project.unfinished_runs():
        problems.append(f"unfinished Dagster runs: {', '.join(unfinished)}")
    if folders := sorted(path.name for path in (project.root / "data").glob(".[!g]*")):
        problems.append(f"temporary folders: {', '.join(folders)}")
    return problems


def try_cell(project: Project, cell: Cell) -> None:
    """Fill in the cell."""
    started, mark = time.monotonic(), f"{cell.victim}-{cell.stage}-{cell.surroundings}"
    try:
        project.make_stale(cell.stage)
        cell.problems += (kill_daemon if cell.victim == "daemon" else kill_run)(project, cell, mark)
    except (CellError, DagsterGraphQLClientError) as error:
        cell.problems.append(str(error))
    cell.problems += run_again(project, cell, mark)
    cell.seconds = round(time.monotonic() - started, 1)


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, required=True, help="completed clone; it is changed")
    parser.add_argument("--victims", nargs="+", choices=VICTIMS, default=VICTIMS)
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--surroundings", nargs="+", choices=SURROUNDINGS, default=SURROUNDINGS)
    parser.add_argument("--logs", type=Path, help="folder for the output of each command; by default a temporary one")
    parser.add_argument("--json", type=Path, help="file to write the cells to, after each one")
    return parser.parse_args()


def main() -> None:
    """Run the cells one after another."""
    options, console = arguments(), Console()
    logs = options.logs or Path(tempfile.mkdtemp(prefix="kill-matrix-"))
    logs.mkdir(parents=True, exist_ok=True)
    if "pid1" in options.surroundings and not shutil.which("unshare"):
        sys.exit("the surroundings pid1 need `unshare` of util-linux")
    project = Project(options.project.resolve(), logs)
    cells = [Cell(*each) for each in itertools.product(options.victims, options.stages, options.surroundings)]
    cells.sort(key=lambda cell: options.stages.index(cell.stage))
    for number, cell in enumerate(cells, 1):
        try_cell(project, cell)
        result = "passed" if not cell.problems else "; ".join(cell.problems)
        name = f"{cell.victim} {cell.stage} {cell.surroundings}"
        console.print(f"{number}/{len(cells)} {name} {cell.seconds:.0f} s: {result}", markup=False, soft_wrap=True)
        if options.json:
            done = [asdict(each) for each in cells[:number]]
            options.json.write_text(json.dumps(done, indent=2) + "\n")
    table = Table("victim", "stage", *options.surroundings)
    for victim, stage in itertools.product(options.victims, options.stages):
        row = {cell.surroundings: cell for cell in cells if (cell.victim, cell.stage) == (victim, stage)}
        table.add_row(victim, stage, *("FAILED" if row[each].problems else "passed" for each in options.surroundings))
    console.print(table)
    sys.exit(any(cell.problems for cell in cells))


if __name__ == "__main__":
    main()
