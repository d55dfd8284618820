"""Clones of this checkout, as a person would have them, at smoke scale."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass
class Clone:
    """A copy of the checkout as a person would have it after `git clone` and `make install`.

    Attributes:
        root: its folder.
        output: what the run that made its artefacts printed.
    """

    root: Path
    output: str = ""

    def run(self, *command: str, expect: int | None = 0, **environment: str) -> str:
        """A command in the clone's root. Returns standard output and error together."""
        bin_folder = str(Path(sys.executable).parent)
        ended = subprocess.run(
            command,
            cwd=self.root,
            env={
                **os.environ,
                "PATH": os.pathsep.join([bin_folder, os.environ["PATH"]]),
                "PYTHONPATH": str(self.root),  # the clone's code, not the checkout's that the environment points to
                "HF_HUB_OFFLINE": "1",
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


def clone(folder: Path, scale: str = "smoke") -> Clone:
    """The files that git knows or would add, committed in a repository of their own, at another scale."""
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
    text = params.read_text().replace("scale: demo", f"scale: {scale}")
    # A model trained for seconds knows nothing; the gates still stand, where it can pass them.
    text = re.sub(r"at_least: [0-9.]+", "at_least: -1.0", text)
    text = re.sub(r".*writer_evaluation\.error_auc.*\n", "", text)  # no AUC is taken of half a dozen texts
    params.write_text(re.sub(r"at_most: [0-9.]+", "at_most: 1.0e+9", text))
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    for command in ("git init -q", "git add -A", "git -c user.name=Test -c user.email=test@localhost commit -qm start"):
        subprocess.run(command.split(), cwd=folder, check=True)
    return Clone(folder)
