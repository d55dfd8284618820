"""Detect edits of a stage's declared dependencies while the stage runs.

DVC hashes the dependencies of a stage *after* its command (iterative/dvc#11058), so it would record an edit during the
run as if the stage had used it. The stage's program therefore compares its dependencies before and after, and fails on
a difference, so that DVC records nothing.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from heddle.core.parameters.section import read_yaml, scale_file

DVC_FILE = Path("dvc.yaml")
SCALE_TEMPLATE = "scales/${scale}.yaml"
DATA = Path("data")


class Dependencies:
    """State of a stage's dependencies in ``dvc.yaml`` when the stage's program started.

    Source files and parameters are compared by content, data folders by sizes and modification times. A source file
    that changed after the process started but before this object was created (during imports) counts as edited.

    Args:
        stage: name of the stage in ``dvc.yaml``.
        started: when the program started, seconds since the epoch.
    """

    def __init__(self, stage: str, started: float) -> None:
        declared = read_yaml(DVC_FILE)["stages"][stage]
        scale = str(scale_file())
        self.paths = [Path(path.replace(SCALE_TEMPLATE, scale)) for path in declared.get("deps", [])]
        self._parameters = {
            Path(file.replace(SCALE_TEMPLATE, scale)): names
            for entry in declared.get("params", [])
            for file, names in entry.items()
        }
        self._late = {
            str(file)
            for path in self.paths
            if not path.is_relative_to(DATA)
            for file in _files(path)
            if file.stat().st_mtime > started
        }
        self._before = dict(self._state())

    @property
    def sections(self) -> set[str]:
        """Names of the declared parameter sections."""
        return {name for names in self._parameters.values() for name in names}

    @property
    def code_folders(self) -> list[Path]:
        """The declared folders of code."""
        return [path for path in self.paths if path.is_dir() and not path.is_relative_to(DATA)]

    def find_edited(self) -> list[str]:
        """Return the dependencies that differ from the start, sorted."""
        after = dict(self._state())
        changed = {name for name in self._before.keys() | after.keys() if self._before.get(name) != after.get(name)}
        return sorted(changed | self._late)

    def _state(self) -> Iterator[tuple[str, Any]]:
        for path in self.paths:
            if path.is_relative_to(DATA):
                yield str(path), [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in _files(path)]
            else:
                yield from ((str(file), hashlib.md5(file.read_bytes()).hexdigest()) for file in _files(path))
        for file, keys in self._parameters.items():
            values = read_yaml(file)
            for key in keys:
                yield f"{file}: {key}", values.get(key)


def _files(path: Path) -> Iterator[Path]:
    """Iterate over the files of a dependency, without byte code, which ``.dvcignore`` excludes."""
    if path.is_file():
        yield path
    for file in sorted(path.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file
