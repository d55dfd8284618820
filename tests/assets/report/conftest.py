from pathlib import Path

import pytest

from tests.support.report_page import Page, write_page
from tests.support.small_project import write_project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project with its report. Tests do not change it."""
    folder = write_project(tmp_path_factory.mktemp("report") / "project")
    write_page(folder)
    return folder


@pytest.fixture(scope="session")
def html(project: Path) -> str:
    return (project / "data" / "report" / "index.html").read_text()


@pytest.fixture(scope="session")
def page(html: str) -> Page:
    return Page(html)


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of a plain table: no labels, guides, faults, plots, history or metrics."""
    folder = write_project(tmp_path_factory.mktemp("report") / "bare", bare=True, numbers={})
    (folder / "data" / "clip" / "history.csv").unlink()
    return write_page(folder)
