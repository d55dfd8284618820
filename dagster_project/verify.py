"""``heddle verify``: check that every output can be reproduced bit for bit.

The commit is cloned to a temporary folder next to the project, so that relative paths of sources stay valid. All stages
are reproduced there with an empty cache. Then three hashes of each output are compared: dvc.lock, reproduced, on disk.
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
from dagster_project.git_identity import set_git_identity
from dagster_project.workspace import WorkspaceError
from heddle.core.dependencies import SOURCES

EQUAL, DIFFERENT = 0, 1


@dataclass(frozen=True)
class OutputComparison:
    """Three hashes of one output; None where the output does not exist.

    Attributes:
        output: folder, relative to the project root.
        lock: recorded in dvc.lock.
        here: of the files in this workspace.
        reproduced: of the files in the clone.
    """

    output: str
    lock: str | None
    here: str | None
    reproduced: str | None

    @property
    def difference(self) -> str:
        """The difference as a message; empty if the hashes are equal. Outputs that were not fetched are ignored."""
        if self.lock is None:
            return "not in dvc.lock; run `heddle run` first"
        if self.reproduced != self.lock:
            return "the reproduced output differs from dvc.lock"
        if self.here not in (None, self.lock):
            return "the files in data/ differ from dvc.lock; run `dvc checkout`"
        return ""


def verify(root: Path, console: Console, *, keep: bool = False) -> int:
    """Reproduce all stages, compare the outputs and print a table. Returns the exit code."""
    project = DvcProject(root)
    commit = snapshot(root)
    clone = Path(tempfile.mkdtemp(prefix=".heddle-verify-", dir=root.parent))
    try:
        _clone(root, commit, clone)
        copy_sources(root, clone)
        console.print(f"Reproducing {commit[:7]} in {clone}", soft_wrap=True)
        (clone / "dvc.lock").unlink(missing_ok=True)  # the clone computes its own hashes
        ended = subprocess.run(
            [sys.executable, "-m", "dvc", "repro", "--no-run-cache"], cwd=clone, env=environment(), check=False
        )
        if ended.returncode:
            console.print("[bold red]Not reproducible:[/] a stage failed; see its error above.")
            return DIFFERENT
        comparisons = compare(project, DvcProject(clone))
    finally:
        if not keep:
            shutil.rmtree(clone, ignore_errors=True)
    console.print(_table(comparisons))
    different = [comparison for comparison in comparisons if comparison.difference]
    for comparison in different:
        console.print(f"[bold red]{comparison.output}[/]: {comparison.difference}")
    if not different:
        console.print(f"Verified: all {len(comparisons)} outputs reproduce bit for bit.")
    return DIFFERENT if different else EQUAL


def compare(project: DvcProject, clone: DvcProject) -> list[OutputComparison]:
    """The hashes of each output in dvc.lock, on disk and in the clone."""
    here = hash_outputs(project)
    reproduced = {name: state.data_version for name, state in clone.states().items()}
    return [
        OutputComparison(str(state.output), state.recorded_data_version, here[name], reproduced.get(name))
        for name, state in project.states().items()
    ]


def hash_outputs(project: DvcProject) -> dict[str, str | None]:
    """MD5 of each output, computed from the file contents instead of DVC's cache of sizes and times."""
    with tempfile.TemporaryDirectory() as empty:
        project = DvcProject(project.root, config={"core": {"site_cache_dir": empty}})
        return {name: state.data_version for name, state in project.states().items()}


def snapshot(root: Path) -> str:
    """Commit the tracked files and ``dvc.lock`` as they are now, without changing the git index of the user.

    Returns the hash of the new commit, or of HEAD if nothing differs.
    """
    set_git_identity()
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        _git(root, "read-tree", "HEAD", **index)
        _git(root, "add", "--update", **index)
        if (root / "dvc.lock").is_file():
            _git(root, "add", "--force", "dvc.lock", **index)
        tree = _git(root, "write-tree", **index)
    if tree == _git(root, "rev-parse", "HEAD^{tree}"):
        return _git(root, "rev-parse", "HEAD")
    return _git(root, "commit-tree", tree, "-p", "HEAD", "-m", "Workspace snapshot for heddle verify")


def _clone(root: Path, commit: str, clone: Path) -> None:
    _git(root, "clone", "--quiet", "--shared", "--no-checkout", str(root), str(clone))
    _git(clone, "-c", "advice.detachedHead=false", "checkout", "--quiet", commit)


def copy_sources(root: Path, clone: Path) -> None:
    """Give the clone the user's own data, which git ignores. Files are hard links where the file system allows."""
    if (root / SOURCES).is_dir():
        shutil.copytree(root / SOURCES, clone / SOURCES, symlinks=True, copy_function=_link_or_copy, dirs_exist_ok=True)


def _link_or_copy(file: str, copy: str) -> None:
    if Path(copy).exists():  # git has checked it out
        return
    try:
        os.link(file, copy)
    except OSError:
        shutil.copy2(file, copy)


def _git(root: Path, *arguments: str, **environment: str) -> str:
    ended = subprocess.run(
        ["git", *arguments],  # noqa: S607 - the git of the user's PATH
        cwd=root,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
    if ended.returncode:
        raise WorkspaceError(f"`git {' '.join(arguments)}` failed: {ended.stderr.strip()}")
    return ended.stdout.strip()


def _table(comparisons: list[OutputComparison]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("output", "dvc.lock", "reproduced", "here", ""):
        table.add_column(heading, no_wrap=True)
    for comparison in comparisons:
        hashes = [(value or "-")[:12] for value in (comparison.lock, comparison.reproduced, comparison.here)]
        table.add_row(comparison.output, *hashes, "[red]differs[/]" if comparison.difference else "[green]equal[/]")
    return table
