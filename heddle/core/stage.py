"""Base of all stages: read parameters and input folders, write one output folder atomically.

A stage is a function ``name(stage: Stage) -> Metrics`` that reads ``data/<dependency>/``, writes into ``stage.output``
and returns its metrics. :func:`run_program` runs it. The function writes to a temporary folder that is renamed to
``data/<name>/`` at the end, so a killed stage leaves no incomplete output.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from heddle.core.dependencies import DATA, Dependencies
from heddle.core.errors import UserError, naming, translate
from heddle.core.parameters.section import SectionType, load
from heddle.core.processes import die_with_parent
from heddle.core.terminal import PipeConsole, visible

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

    def progress(self, message: str, done: int | None = None, total: int | None = None) -> None:
        """Print one line of progress on standard output: ``[stage] 120/2400 message``."""
        count = ""
        if done is not None:
            count = f"{done} " if total is None else f"{done}/{total} "
        print(f"[{self.name}] {count}{visible(message)}", flush=True)


def run_program(function: Callable[[Stage], Metrics], started: float) -> None:
    """Run a stage as a program, see :mod:`heddle.core.program`. Exit with 1 and a message on invalid input.

    Args:
        function: function of the stage, with the same name as the stage.
        started: start time of the program, seconds since the epoch.
    """
    name = function.__name__
    if len(sys.argv) > 1:
        sys.exit(
            f"{function.__doc__}\nusage: dvc repro {name}\nParameters: section `{name}` of params.yaml and scales/"
        )
    die_with_parent()
    remove_unfinished(name)
    temporary = DATA / f".{name}.{os.getpid()}"
    temporary.mkdir(parents=True)
    try:
        inputs = Dependencies(name, started)
        metrics = function(Stage(name, temporary, inputs))
        write_json(temporary / METRICS_FILE, dict(metrics))
        edited = inputs.find_edited()
        if edited:
            raise StageError(f"source changed during the run: {', '.join(edited)}. Output discarded; run again")
        shutil.rmtree(DATA / name, ignore_errors=True)
        temporary.rename(DATA / name)
    except Exception as error:
        user_error = translate(error)
        if user_error is None:
            raise
        PipeConsole(stderr=True).print_line(f"{name}: {user_error}")
        sys.exit(1)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_unfinished(name: str) -> None:
    """Delete temporary folders of killed runs of this stage."""
    for folder in DATA.glob(f".{name}.*"):
        pid = folder.name.rpartition(".")[2]
        if not pid.isdigit() or not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def write_json(path: Path, content: object) -> None:
    """Write deterministic JSON: sorted keys, two spaces, a final newline, no NaN."""
    path.write_text(json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> dict:
    """Read the object in a JSON file."""
    with naming(path):
        return json.loads(path.read_text())
