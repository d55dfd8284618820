from pathlib import Path

import pytest

from assets.index.stage import index
from assets.report.stage import report
from tests.support.report_page import Page, read_page
from tests.support.small_project import run, write_project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project with its report; tests leave it as it is."""
    folder = write_project(tmp_path_factory.mktemp("report") / "project")
    run(index, folder)
    run(report, folder)
    return folder


@pytest.fixture(scope="session")
def html(project: Path) -> str:
    return (project / "data" / "report" / "index.html").read_text()


@pytest.fixture(scope="session")
def page(html: str) -> Page:
    return Page(html)


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of a plain table: no labels, guides, faults, plots, history or numbers."""
    folder = write_project(tmp_path_factory.mktemp("report") / "bare", bare=True, numbers={})
    (folder / "data" / "clip" / "history.csv").unlink()
    run(index, folder)
    run(report, folder)
    return read_page(folder)
