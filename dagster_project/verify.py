"""``heddle verify``: is every output what its inputs make of it?

The commit is cloned to a temporary folder beside the project (so that relative paths of sources hold), everything is
reproduced there with an empty cache, and three hashes are compared for each stage: the lock's, the reproduced one and
the one of the files that lie here.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dagster_project.dvc.project import DvcProject
from dagster_project.dvc.runner import environment
from dagster_project.git_identity import sign
from dagster_project.workspace import WorkspaceError

EQUAL, DIFFERENT = 0, 1


@dataclass(frozen=True)
class Comparison:
    """One output's hash, three times; None where there is no such output."""

    output: str
    lock: str | None
    here: str | None
    reproduced: str | None

    @property
    def fault(self) -> str:
        """What differs, in words; empty when nothing does. An output that was never fetched here is no fault."""
        if self.lock is None:
            return "dvc.lock does not know it: `heddle run` first"
        if self.reproduced != self.lock:
            return "reproducing it gives other bytes than dvc.lock says"
        if self.here not in (None, self.lock):
            return "the files here are not what dvc.lock says"
        return ""


def verify(root: Path, console: Console, *, keep: bool = False) -> int:
    """Reproduce and compare; prints a table. Returns the exit code."""
    project = DvcProject(root)
    commit = snapshot(root)
    clone = Path(tempfile.mkdtemp(prefix=".heddle-verify-", dir=root.parent))
    try:
        _clone(root, commit, clone)
        console.print(f"Reproducing {commit[:7]} in {clone}", soft_wrap=True)
        (clone / "dvc.lock").unlink(
            missing_ok=True
        )  # the hashes to compare with are the project's; the clone finds its own
        ended = subprocess.run(
            [sys.executable, "-m", "dvc", "repro", "--no-run-cache"], cwd=clone, env=environment(), check=False
        )
        if ended.returncode:
            console.print("[bold red]It does not reproduce:[/] a stage failed, see above.")
            return DIFFERENT
        comparisons = compare(project, DvcProject(clone))
    finally:
        if not keep:
            shutil.rmtree(clone, ignore_errors=True)
    console.print(_table(comparisons))
    faults = [comparison for comparison in comparisons if comparison.fault]
    for comparison in faults:
        console.print(f"[bold red]{comparison.output}[/]: {comparison.fault}")
    if not faults:
        console.print(f"All {len(comparisons)} outputs are what their inputs make of them.")
    return DIFFERENT if faults else EQUAL


def compare(project: DvcProject, clone: DvcProject) -> list[Comparison]:
    """Each output as the lock has it, as it lies here and as the clone made it."""
    here = hashes_of_bytes(project)
    reproduced = {name: state.data_version for name, state in clone.states().items()}
    return [
        Comparison(str(state.output), state.recorded_data_version, here[name], reproduced.get(name))
        for name, state in project.states().items()
    ]


def hashes_of_bytes(project: DvcProject) -> dict[str, str | None]:
    """The md5 of each output from the bytes themselves, not from DVC's memory of sizes and times."""
    with tempfile.TemporaryDirectory() as forgetful:
        project = DvcProject(project.root, config={"core": {"site_cache_dir": forgetful}})
        return {name: state.data_version for name, state in project.states().items()}


def snapshot(root: Path) -> str:
    """A commit of the tracked files (and ``dvc.lock``) as they are now, made beside the person's own index.

    It is HEAD itself when nothing differs from it.
    """
    sign()
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        _git(root, "read-tree", "HEAD", **index)
        _git(root, "add", "--update", **index)
        if (root / "dvc.lock").is_file():
            _git(root, "add", "--force", "dvc.lock", **index)
        tree = _git(root, "write-tree", **index)
    if tree == _git(root, "rev-parse", "HEAD^{tree}"):
        return _git(root, "rev-parse", "HEAD")
    return _git(root, "commit-tree", tree, "-p", "HEAD", "-m", "the workspace that heddle verify reproduces")


def _clone(root: Path, commit: str, clone: Path) -> None:
    _git(root, "clone", "--quiet", "--shared", "--no-checkout", str(root), str(clone))
    _git(clone, "-c", "advice.detachedHead=false", "checkout", "--quiet", commit)


def _git(root: Path, *arguments: str, **environment: str) -> str:
    ended = subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    if ended.returncode:
        raise WorkspaceError(f"`git {' '.join(arguments)}` failed: {ended.stderr.strip()}")
    return ended.stdout.strip()


def _table(comparisons: list[Comparison]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("output", "dvc.lock", "reproduced", "here", ""):
        table.add_column(heading, no_wrap=True)
    for comparison in comparisons:
        hashes = [(value or "-")[:12] for value in (comparison.lock, comparison.reproduced, comparison.here)]
        table.add_row(comparison.output, *hashes, "[red]differs[/]" if comparison.fault else "[green]equal[/]")
    return table
