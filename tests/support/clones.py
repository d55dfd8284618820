"""Clones of this checkout at smoke scale, as a user would have them."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from assets.families import RELEASED

ROOT = Path(__file__).parents[2]
REPLACED_NOT_REWRITTEN = re.compile(r"/(\.dvc/cache/files|data/(?!published_index/)[^/]+)/")
"""Paths of files that DVC and the stages replace as a whole, so that copies of a clone may share them."""


@dataclass
class Clone:
    """A copy of the checkout as after ``git clone`` and ``make install``.

    Attributes:
        root: its folder.
        output: what the run that made its outputs printed.
    """

    root: Path
    output: str = ""

    def run(self, *command: str, expect: int | None = 0, **environment: str) -> str:
        """Run a command in the clone's root. Returns standard output and standard error together.

        Args:
            expect: exit code that the command must have; None allows any.
        """
        bin_folder = str(Path(sys.executable).parent)
        ended = subprocess.run(
            command,
            cwd=self.root,
            env={
                **os.environ,
                "PATH": os.pathsep.join([bin_folder, os.environ["PATH"]]),
                "PYTHONPATH": str(self.root),  # the clone's code, not the checkout's that the environment points to
                "COLUMNS": "160",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=1800,
        )
        assert expect is None or ended.returncode == expect, ended.stdout[-5000:]
        return ended.stdout

    def copy(self, folder: Path) -> "Clone":
        """A copy that may be changed. Outputs and DVC's cache are hard links: replace their files, do not rewrite them.

        Args:
            folder: must not exist yet, and must be on the same file system.
        """
        shutil.copytree(self.root, folder, symlinks=True, copy_function=_link_or_copy)
        return Clone(folder, self.output)


def _link_or_copy(source: str, target: str) -> None:
    if REPLACED_NOT_REWRITTEN.search(source):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def clone(folder: Path) -> Clone:
    """Commit the files that git knows or would add in a new repository, with ``scale: smoke``."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() and name != "dvc.lock":
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    params = folder / "params.yaml"
    text = params.read_text().replace("scale: demo", "scale: smoke")
    params.write_text(text.replace("gates: {}", f"gates: {json.dumps(reachable_gates())}"))
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    for command in ("git init -q", "git add -A", "git -c user.name=Test -c user.email=test@localhost commit -qm start"):
        subprocess.run(command.split(), cwd=folder, check=True)
    return Clone(folder)


def reachable_gates() -> dict[str, list[dict[str, str | float]]]:
    """Every family's gates with bounds that models reach that train for seconds: they are no better than chance.

    Half a dozen texts have no AUROC, so that gate has no number to compare.
    """
    return {
        family.name: [
            {"metric": gate.metric, **({"at_most": 1e9} if gate.at_most is not None else {"at_least": -1.0})}
            for gate in family.gates
            if "error_detection" not in gate.metric
        ]
        for family in RELEASED
    }
