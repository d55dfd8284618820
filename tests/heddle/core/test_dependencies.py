"""What DVC watches: `dvc status` on a real project is the oracle of `Dependencies.is_watched`."""

from pathlib import Path

import pytest
from dvc.repo import Repo

from heddle.core.dependencies import Dependencies
from heddle.core.stage import Stage, StageError

DVC = """
stages:
  catalog:
    cmd: mkdir -p data/catalog && date > data/catalog/time
    deps: [sources, sources/linked]
    outs: [data/catalog]
"""
LOCATIONS = [
    ("sources/shop/listings.csv", True),
    ("sources/listings.csv", True),  # a link to a file
    ("sources/linked/listings.csv", True),  # in a link to a folder that is a dependency
    ("sources/unseen/listings.csv", False),  # in a link to a folder that is none
    ("sources/linked/deeper/listings.csv", False),  # the same, below a dependency
    ("elsewhere/listings.csv", False),
    ("sources/../elsewhere/listings.csv", False),
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose stage `catalog` depends on real files and on links to files and folders elsewhere."""
    root = tmp_path / "project"
    for folder in ("sources/shop", "scales", "elsewhere"):
        (root / folder).mkdir(parents=True)
    for folder in ("linked", "unseen", "deeper", "file"):
        (tmp_path / folder).mkdir()
    (root / "sources/linked").symlink_to(tmp_path / "linked")
    (root / "sources/unseen").symlink_to(tmp_path / "unseen")
    (tmp_path / "linked/deeper").symlink_to(tmp_path / "deeper")
    (root / "sources/listings.csv").symlink_to(tmp_path / "file/listings.csv")
    files = {"dvc.yaml": DVC, "params.yaml": "scale: small\n", "scales/small.yaml": "{}\n"}
    for name, text in files.items():
        (root / name).write_text(text)
    for location, _ in LOCATIONS:
        (root / location).write_text("id\n1\n")
    monkeypatch.chdir(root)
    return root


def _is_changed() -> bool:
    """Whether `dvc status` lists the stage."""
    with Repo() as repo:
        return bool(repo.status())


def test_is_watched_agrees_with_dvc_status(project: Path) -> None:
    with Repo.init(no_scm=True) as repo:
        repo.reproduce()
    dependencies = Dependencies("catalog", 0)
    for location, watched in LOCATIONS:
        assert not _is_changed()
        (project / location).write_text("id\n1\n2\n")
        assert _is_changed() == watched, location
        assert dependencies.is_watched(location) == watched, location
        (project / location).write_text("id\n1\n")


@pytest.mark.parametrize(("location", "watched"), LOCATIONS)
def test_edit_during_run_is_found_where_dvc_watches(project: Path, location: str, watched: bool) -> None:
    dependencies = Dependencies("catalog", 0)
    assert dependencies.find_edited() == []
    (project / location).write_text("id\n1\n2\n")
    assert bool(dependencies.find_edited()) == watched


def test_absolute_path_is_compared_as_written(project: Path) -> None:
    dependencies = Dependencies("catalog", 0)
    assert dependencies.is_watched(str(project / "sources/shop/listings.csv"))
    assert not dependencies.is_watched(str(project.parent / "file/listings.csv"))
    assert not dependencies.is_watched(str(project / "sources-2"))


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("elsewhere/listings.csv", "move or link it into sources/ and change the path, or add its folder to the deps"),
        ("/etc/passwd", "source shop: /etc/passwd is in no dependency of `catalog`"),
        ("sources/unseen/listings.csv", "sources/unseen is a link to a folder, which DVC does not follow"),
        ("sources/unseen", "add sources/unseen to the deps of `catalog` in dvc.yaml"),
    ],
)
def test_unwatched_path_stops_with_both_remedies(project: Path, location: str, message: str) -> None:
    stage = Stage("catalog", project, Dependencies("catalog", 0))
    with pytest.raises(StageError, match="source shop: ") as caught:
        stage.check_watched("shop", location)
    assert message in str(caught.value)


def test_watched_path_and_stage_without_dvc_file_pass(project: Path) -> None:
    Stage("catalog", project, Dependencies("catalog", 0)).check_watched("shop", "sources/shop/listings.csv")
    Stage("catalog", project).check_watched("shop", "/etc/passwd")
