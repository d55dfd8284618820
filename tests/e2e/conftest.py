"""The whole runs at smoke scale, each made once and shared by the tests that look at it.

``pipeline`` is Dagster's run, ``reproduced`` DVC's own run of the same commit, which `heddle verify` makes. Both are
needed: that two engines give the same bytes can only be seen from two runs. All other tests start from copies.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from dagster_project.dvc.project import DvcProject
from tests.support.clones import ROOT, Clone, clone


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder that all processes of pytest-xdist have in common."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone in which `make run` was the only command. Tests only read it: commands run in a ``copy``."""
    folder = shared_folder(tmp_path_factory) / "pipeline"
    folder.mkdir(exist_ok=True)
    output = folder / "output.txt"
    with FileLock(folder / "lock"):
        if output.is_file():
            return Clone(folder / "heddle", output.read_text())
        made = clone(folder / "heddle")
        made.output = made.run("make", "run", "-o", "install")
        output.write_text(made.output)
    return made


@pytest.fixture(scope="module")
def copy(pipeline: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """What `make run` left, to be changed freely by the tests of one file."""
    return pipeline.copy(tmp_path_factory.mktemp("copy") / "heddle")


@dataclass
class Reproduction:
    """What `heddle verify` leaves with ``--keep``, and what was recorded while it ran.

    Attributes:
        root: the clone in which DVC alone ran every stage.
        output: what the command printed.
        notes: holds ``<stage>.txt``, the files that the stage opened (see ``tests/support/watched``).
    """

    root: Path
    output: str
    notes: Path


@pytest.fixture(scope="session")
def reproduced(pipeline: Clone, tmp_path_factory: pytest.TempPathFactory) -> Reproduction:
    """The pipeline after `heddle verify`, each stage watched and with nothing in ``data/`` but its declared inputs."""
    folder = tmp_path_factory.mktemp("reproduced", numbered=False)
    copy, notes = pipeline.copy(folder / "heddle"), folder / "watched"
    (notes / "hidden").mkdir(parents=True)
    stages = {
        stage.command.removeprefix("python -m "): {"name": name, "inputs": sorted(stage.upstream)}
        for name, stage in DvcProject(copy.root).graph.items()
    }
    (notes / "stages.json").write_text(json.dumps(stages))
    paths = os.pathsep.join([str(copy.root), str(ROOT / "tests/support/watched")])
    output = copy.run("heddle", "verify", "--keep", PYTHONPATH=paths, HEDDLE_WATCHED=str(notes))
    (root,) = folder.glob(".heddle-verify-*")
    return Reproduction(root, output, notes)
