"""Base of all stages: read parameters and input folders, write one output folder atomically.

A stage is a function ``name(stage: Stage) -> Metrics`` that reads ``data/<dependency>/``, writes into ``stage.output``
and returns its metrics. :func:`run_program` runs it. The function writes to a temporary folder that takes the place of
``data/<name>/`` at the end, so a killed or failed stage leaves no incomplete output.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from heddle.core.cache_disk import check_cache_disk
from heddle.core.dependencies import DATA, SOURCES, Dependencies
from heddle.core.errors import UserError, naming, translate
from heddle.core.folders import replace_folder, temporary_folder
from heddle.core.libraries import check_libraries
from heddle.core.parameters.section import SectionType, load
from heddle.core.processes import is_orphan
from heddle.core.terminal import PipeConsole, print_progress

Metrics = Mapping[str, Any]
"""Metrics by name, maybe nested (:mod:`heddle.evaluation.metric_tree`): ``dvc metrics show`` lists them."""

METRICS_FILE = "metrics.json"


class StageError(UserError):
    """The input is invalid. The message contains file, row and what to do, and is printed without a traceback."""


class Stage:
    """Access of a stage to its inputs, output folder, parameters and progress messages.

    Attributes:
        name: name of the stage, its folder, its asset and its parameter section.
        output: temporary folder for the output.
        inputs: declared dependencies; reading any other input raises an error. None in tests without ``dvc.yaml``.
    """

    def __init__(self, name: str, output: Path, inputs: Dependencies | None = None) -> None:
        self.name = name
        self.output = output
        self._inputs = inputs

    def input(self, dependency: str) -> Path:
        """Return the folder ``data/<dependency>``, which must be declared in ``dvc.yaml``.

        Raises:
            StageError: the folder is not declared or does not exist.
        """
        folder = DATA / dependency
        if self._inputs and folder not in self._inputs.paths:
            raise StageError(f"dvc.yaml: stage {self.name} reads {folder}; add it to its deps")
        if not folder.is_dir():
            raise StageError(f"{folder} does not exist; run `dvc repro {dependency}` or `heddle run` first")
        return folder

    def parameters(self, section: type[SectionType], name: str | None = None) -> SectionType:
        """Load the parameter section of this stage, or the shared section ``name``.

        Raises:
            StageError: the section is not declared in ``dvc.yaml``.
        """
        wanted = name or self.name
        if self._inputs and wanted not in self._inputs.sections:
            raise StageError(f"dvc.yaml: stage {self.name} reads the section {wanted}; add it to its params")
        return load(wanted, section)

    def check_watched(self, source: str, path: str) -> None:
        """Check that DVC sees edits of a local file or folder of a source. Nothing is checked without ``dvc.yaml``.

        Raises:
            StageError: the path is in no declared dependency, or behind a link to a folder, which DVC does not follow.
        """
        if self._inputs is None or self._inputs.is_watched(path):
            return
        link = self._inputs.find_linked_folder(path)
        if link:
            raise StageError(
                f"source {source}: {path}: {link} is a link to a folder, which DVC does not follow, so edits would "
                f"not be seen; add {link} to the deps of `{self.name}` in dvc.yaml, or move the folder into {SOURCES}/"
            )
        raise StageError(
            f"source {source}: {path} is in no dependency of `{self.name}`, so edits would not be seen; move or link "
            f"it into {SOURCES}/ and change the path, or add its folder to the deps of `{self.name}` in dvc.yaml"
        )

    def progress(self, message: str, done: int | None = None, total: int | None = None) -> None:
        """Print one line of progress on standard output: ``[stage] 120/2400 message``."""
        count = ""
        if done is not None:
            count = f"{done} " if total is None else f"{done}/{total} "
        print_progress(self.name, f"{count}{message}")


def run_program(function: Callable[[Stage], Metrics], started: float, owner: int) -> None:
    """Run a stage as a program, see :mod:`heddle.core.program`. Exit with 1 and a message on invalid input.

    Args:
        function: function of the stage, with the same name as the stage.
        started: start time of the program, seconds since the epoch.
        owner: process that waits for the program; if it has ended, the output is discarded.
    """
    name = function.__name__
    if len(sys.argv) > 1:
        sys.exit(
            f"{function.__doc__}\nusage: dvc repro {name}\nParameters: section `{name}` of params.yaml and scales/"
        )
    try:
        with temporary_folder(DATA / name) as temporary:
            inputs = Dependencies(name, started)
            check_libraries(inputs.code_folders)
            metrics = function(Stage(name, temporary, inputs))
            write_json(temporary / METRICS_FILE, dict(metrics))
            edited = inputs.find_edited()
            if edited:
                raise StageError(f"source changed during the run: {', '.join(edited)}. Output discarded; run again")
            check_cache_disk(temporary)
            if is_orphan(owner):
                raise StageError("the process that started this stage has ended. Output discarded; run again")
            replace_folder(temporary, DATA / name)
    except Exception as error:
        user_error = translate(error)
        if user_error is None:
            raise
        PipeConsole(stderr=True).print_message(f"{name}: {user_error}")
        sys.exit(1)


def write_json(path: Path, content: object) -> None:
    """Write deterministic JSON: sorted keys, two spaces, a final newline, no NaN."""
    path.write_text(json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> dict:
    """Read the object in a JSON file."""
    with naming(path):
        content = json.loads(path.read_text())
        if not isinstance(content, dict):
            raise ValueError("not a JSON object")
        return content
