"""Loaded by every Python process below a watched run: records the files that a stage opens, and hides what is not its.

``HEDDLE_WATCHED`` names a folder with ``stages.json``: for the module of each stage's program its ``name`` and its
``inputs``, the folders of ``data/`` that it declares. While a stage runs, the other folders of ``data/`` are in
``hidden/``, and dagster cannot be imported. The stage's files go to ``<name>.txt``, one ``mode<TAB>path`` a line.
"""

import atexit
import json
import os
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path

NOTES = "HEDDLE_WATCHED_NOTES"
"""Environment variable for the stage's own child processes: the file of notes of their stage."""
FOLDER_ARGUMENT = {"os.mkdir": 2, "os.remove": 1, "os.rename": 2, "os.rmdir": 1}
"""Audit event that writes -> the argument with the descriptor of the folder that a relative path starts from."""


class _WithoutDagster(MetaPathFinder):
    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name.partition(".")[0].startswith("dagster"):
            raise ModuleNotFoundError(f"No module named {name!r} (hidden from the stages)")


def _hide(inputs: list[str], hidden: Path) -> None:
    """Move the folders of ``data/`` that a stage does not declare away until its process ends."""
    data = Path("data").absolute()
    undeclared = [path for path in data.iterdir() if path.is_dir() and path.name not in inputs]
    for path in undeclared:
        path.rename(hidden / path.name)

    def restore() -> None:
        _watched.clear()
        for path in undeclared:
            (hidden / path.name).rename(path)

    atexit.register(restore)


_watched: list[int] = []
"""The descriptor of the notes while the hook is active; empty once it is not. An audit hook cannot be removed."""


def _watch(notes: Path) -> None:
    _watched.append(os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644))
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def hook(event: str, arguments: tuple) -> None:
        folder = -1
        if not _watched:
            return
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            mode = "write" if (arguments[2] or 0) & writing else "read"
        elif event in FOLDER_ARGUMENT:
            mode, folder = "write", arguments[FOLDER_ARGUMENT[event]]
        else:
            return
        start = Path.cwd() if folder < 0 else Path(f"/proc/self/fd/{folder}").readlink()
        path = os.path.normpath(start / os.fsdecode(arguments[0]))
        os.write(_watched[0], f"{mode}\t{path}\n".encode())

    sys.addaudithook(hook)


def _start(folder: Path) -> None:
    stages = json.loads((folder / "stages.json").read_text())
    stage = stages.get(sys.orig_argv[2]) if sys.orig_argv[1:2] == ["-m"] else None
    if stage:
        _hide(stage["inputs"], folder / "hidden")
        os.environ[NOTES] = str(folder / f"{stage['name']}.txt")
    if NOTES in os.environ:
        sys.meta_path.insert(0, _WithoutDagster())
        _watch(Path(os.environ[NOTES]))


if "HEDDLE_WATCHED" in os.environ:
    _start(Path(os.environ["HEDDLE_WATCHED"]))
