"""Detect edits of a stage's declared dependencies while the stage runs.

DVC hashes the dependencies of a stage *after* its command (iterative/dvc#11058), so it would record an edit during the
run as if the stage had used it. The stage's program therefore compares its dependencies before and after, and fails on
a difference, so that DVC records nothing.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from heddle.core.parameters.section import read_yaml, scale_file

DVC_FILE = Path("dvc.yaml")
SCALE_TEMPLATE = "scales/${scale}.yaml"
DATA = Path("data")
SOURCES = Path("sources")
"""Folder of the user's own data, or links to them."""


class Dependencies:
    """State of a stage's dependencies in ``dvc.yaml`` when the stage's program started.

    Source files and parameters are compared by content; data folders, `sources` and what is outside the project by
    sizes and modification times. A source file that changed after the process started but before this object was
    created (during imports) counts as edited.

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
            if not is_data(path)
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
        return [path for path in self.paths if path.is_dir() and not is_data(path)]

    def find_edited(self) -> list[str]:
        """Return the dependencies that differ from the start, sorted."""
        after = dict(self._state())
        changed = {name for name in self._before.keys() | after.keys() if self._before.get(name) != after.get(name)}
        return sorted(changed | self._late)

    def is_watched(self, location: str) -> bool:
        """Return whether DVC sees edits of a file or folder: it is in a dependency, with no link to a folder between.

        Paths are compared as written, so a link inside a dependency counts as inside.
        """
        return any(_link_between(top, location) is None for top in self._around(location))

    def find_linked_folder(self, location: str) -> str | None:
        """Return the link to a folder, below a dependency, through which DVC does not walk to this location."""
        return next((link for top in self._around(location) if (link := _link_between(top, location))), None)

    def _around(self, location: str) -> list[Path]:
        """Return the dependencies that contain a location."""
        return [path for path in self.paths if _absolute(location).is_relative_to(_absolute(path))]

    def _state(self) -> Iterator[tuple[str, Any]]:
        for path in self.paths:
            if is_data(path):
                yield str(path), [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in _files(path)]
            else:
                yield from (
                    (str(file), hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest())
                    for file in _files(path)
                )
        for file, keys in self._parameters.items():
            values = read_yaml(file)
            for key in keys:
                yield f"{file}: {key}", values.get(key)


def is_data(path: Path) -> bool:
    """Whether a dependency is data, which is large, rather than code."""
    is_outside = not _absolute(path).is_relative_to(Path.cwd())
    return is_outside or path.is_relative_to(DATA) or path.is_relative_to(SOURCES)


def _absolute(path: Path | str) -> Path:
    """Return an absolute path without `..`; links stay, which `Path.resolve` would replace by their targets."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def _link_between(top: Path, location: str) -> str | None:
    """Return the first link to a folder below `top` on the way to a location; None if there is none."""
    steps = _absolute(location).relative_to(_absolute(top)).parts
    below = [top.joinpath(*steps[: number + 1]) for number in range(len(steps))]
    return next((str(path) for path in below if path.is_symlink() and path.is_dir()), None)


def _files(path: Path) -> Iterator[Path]:
    """Iterate over the files that DVC hashes: no byte code, which ``.dvcignore`` excludes, and no linked subfolders.

    A dependency that is itself a link to a folder is walked.
    """
    if path.is_file():
        yield path
    for file in sorted(path.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file
