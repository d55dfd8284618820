"""What every stage's program shares: parameters in, one folder of files out, all or nothing.

A stage is a function ``name(stage: Stage) -> Metrics`` that reads ``data/<dependency>/``, writes into ``stage.output``
and returns its numbers. :func:`run_program` runs it: the function writes to a temporary sibling that is renamed to
``data/<name>/`` only when all of it is there, so a killed stage leaves nothing that looks finished.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from heddle.core.dependencies import DATA, Dependencies
from heddle.core.errors import UserError
from heddle.core.parameters.section import SectionType, load
from heddle.core.processes import die_with_parent

Metrics = Mapping[str, Any]
"""Numbers by name, maybe nested, see :mod:`heddle.evaluation.metric_tree`: what ``dvc metrics show`` lists."""

METRICS_FILE = "metrics.json"


class StageError(UserError):
    """The input cannot be worked on: the message names file, row and remedy, and is shown without a traceback."""


class Stage:
    """What a stage may touch: its inputs, its output folder, its parameters and a line of progress.

    Attributes:
        name: the stage's name, which is also its folder's, its asset's and its parameter section's.
        output: the (temporary) folder that the stage fills.
        inputs: what ``dvc.yaml`` declares; reading anything else is refused. None in tests that need no ``dvc.yaml``.
    """

    def __init__(self, name: str, output: Path, inputs: Dependencies | None = None) -> None:
        self.name = name
        self.output = output
        self._inputs = inputs

    def input(self, dependency: str) -> Path:
        """``data/<dependency>``, which must be declared in ``dvc.yaml``.

        Raises:
            StageError: it is not there.
        """
        folder = DATA / dependency
        if self._inputs and folder not in self._inputs.paths:
            raise StageError(f"dvc.yaml: stage {self.name} reads {folder}; declare it under its deps")
        if not folder.is_dir():
            raise StageError(f"{folder} is missing: run `dvc repro {dependency}` or `heddle run` first")
        return folder

    def parameters(self, section: type[SectionType], name: str | None = None) -> SectionType:
        """The section of this stage, or the shared section ``name``."""
        wanted = name or self.name
        if self._inputs and wanted not in self._inputs.sections:
            raise StageError(f"dvc.yaml: stage {self.name} reads the section {wanted}; declare it under its params")
        return load(wanted, section)

    def progress(self, message: str, done: int | None = None, total: int | None = None) -> None:
        """Tell how far the work is: one line on standard output, ``[stage] 120/2400 message``."""
        count = "" if done is None else f"{done}/{total} " if total is not None else f"{done} "
        print(f"[{self.name}] {count}{message}", flush=True)


def run_program(function: Callable[[Stage], Metrics], started: float) -> None:
    """Run a stage as a program, see :mod:`heddle.core.program`. Exits with 1 and a message on bad input.

    Args:
        function: what the stage computes; its name is the stage's.
        started: when the program started, seconds since the epoch.
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
        edited = inputs.edited()
        if edited:
            raise StageError(f"edited while it ran: {', '.join(edited)}. Nothing was kept; run it again")
        shutil.rmtree(DATA / name, ignore_errors=True)
        temporary.rename(DATA / name)
    except UserError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"{name}: {error}", markup=False)
        sys.exit(1)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_unfinished(name: str) -> None:
    """Delete what killed runs of this stage left behind."""
    for folder in DATA.glob(f".{name}.*"):
        pid = folder.name.rpartition(".")[2]
        if not pid.isdigit() or not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def write_json(path: Path, content: object) -> None:
    """Deterministic JSON: sorted keys, two spaces, a final newline, no NaN."""
    path.write_text(json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> dict:
    """The object in a JSON file."""
    return json.loads(path.read_text())
