"""Real runs at smoke scale in clones of this checkout, made once and shared by the tests that look at them."""

import os

import gto  # noqa: F401  before rouge-score: gto closes the log handlers there are, and that of rouge-score's absl, stderr
import pytest
from filelock import FileLock
from hypothesis import settings

from dagster_project.dvc.project import DvcProject
from tests.support.clones import ROOT, Clone, clone

pytest_plugins = ["tests.support.fixtures"]

settings.register_profile("heddle", deadline=None)  # how long an example takes depends on the neighbours
settings.load_profile("heddle")


@pytest.fixture(scope="session")
def by_heddle(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone in which `make run` was the only command, made once, by the first of pytest's processes that asks."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # which all of them share
    output = folder / "by_heddle/output.txt"
    with FileLock(folder / "by_heddle.lock"):
        if output.is_file():
            return Clone(folder / "by_heddle/heddle", output.read_text())
        made = clone(folder / "by_heddle/heddle")
        made.output = made.run("make", "run", "-o", "install")
        output.write_text(made.output)
    return made


@pytest.fixture(scope="session")
def by_dvc(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone in which DVC alone ran the stages, one by one, each watched and with only its declared inputs there.

    The notes of each stage lie in ``audit/<stage>.txt``.
    """
    made = clone(tmp_path_factory.mktemp("by_dvc") / "heddle")
    hidden, audit = made.root.parent / "hidden", made.root.parent / "audit"
    hidden.mkdir()
    audit.mkdir()
    for name, stage in DvcProject(made.root).graph.items():
        for folder in [path for path in (made.root / "data").iterdir() if path.is_dir()]:
            if folder.name not in stage.upstream:
                folder.rename(hidden / folder.name)
        paths = os.pathsep.join([str(made.root), str(ROOT / "tests/support/sitecustomize")])
        made.run("dvc", "repro", "-s", name, PYTHONPATH=paths, HEDDLE_AUDIT=str(audit / f"{name}.txt"))
        for folder in hidden.iterdir():
            folder.rename(made.root / "data" / folder.name)
    return made
