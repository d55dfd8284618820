"""Loaded by every Python process of a watched stage: notes which files it opens, and hides dagster.

``HEDDLE_AUDIT`` names the file that the notes go to, one ``mode<TAB>path`` a line.
"""

import os
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path


class _WithoutDagster(MetaPathFinder):
    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name.partition(".")[0].startswith("dagster"):
            raise ModuleNotFoundError(f"No module named {name!r} (hidden from the stages)")


# event -> where in its arguments the folder's descriptor stands that a relative path starts from
REMOVING = {"os.mkdir": 2, "os.remove": 1, "os.rename": 2, "os.rmdir": 1}


def _watch(notes: int) -> None:
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def hook(event: str, arguments: tuple) -> None:
        folder = -1
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            mode = "write" if (arguments[2] or 0) & writing else "read"
        elif event in REMOVING:
            mode, folder = "write", arguments[REMOVING[event]]
        else:
            return
        start = Path.cwd() if folder < 0 else Path(f"/proc/self/fd/{folder}").readlink()
        path = os.path.normpath(start / os.fsdecode(arguments[0]))
        os.write(notes, f"{mode}\t{path}\n".encode())

    sys.addaudithook(hook)


# DVC hashes and moves files of its own right; only the stage's processes are watched.
if "HEDDLE_AUDIT" in os.environ and not any(Path(word).name == "dvc" for word in sys.orig_argv[:2]):
    sys.meta_path.insert(0, _WithoutDagster())
    _watch(os.open(os.environ["HEDDLE_AUDIT"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644))
