"""After a run, an edit makes `dvc status` name the stages that it can change, and no training beyond those."""

from pathlib import Path

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
STAGES = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
TRAINING = {name for name, stage in STAGES.items() if stage["meta"]["dagster"].get("pool") == "training"}
FAMILIES = {
    "alignment": {"alignment"},
    "assistant": {"base_language", "assistant"},
    "clip": {"clip"},
    "product": {"product"},
    "recommender": {"recommender"},
    "reranker": {"reranker"},
    "vision": {"vision"},
    "writer": {"writer"},
}
"""Folder of a network in ``lightning_modules`` -> the stages that train it."""

pytestmark = pytest.mark.xdist_group("pipeline")


def _changed(root: Path) -> set[str]:
    """The stages that ``dvc status`` names."""
    with Repo(str(root)) as repo:
        return {address.rpartition(":")[2] for address in repo.status()}


def _add_comment(root: Path, pattern: str, comment: str) -> dict[Path, str]:
    """Append a comment to every file that matches. Returns the former texts."""
    before = {path: path.read_text() for path in root.glob(pattern)}
    assert before, f"{pattern}: no file matches"
    for path, text in before.items():
        path.write_text(f"{text}{comment}\n")
    return before


@pytest.fixture
def edit(copy):
    """Edits the copy of the finished run and returns the stages that are stale then; undoes the edit at the end."""
    before: dict[Path, str] = {}

    def edit(pattern: str, comment: str = "# a comment") -> set[str]:
        before.update(_add_comment(copy.root, pattern, comment))
        return _changed(copy.root)

    yield edit
    for path, text in before.items():
        path.write_text(text)


def test_every_training_is_known():
    assert set().union(*FAMILIES.values()) == TRAINING


def test_without_an_edit_no_stage_is_stale(copy):
    assert not _changed(copy.root)


@pytest.mark.parametrize(
    ("pattern", "comment"),
    [
        ("assets/*/evaluate/*.py", "# a comment"),
        ("assets/*/report/section.py", "# a comment"),
        ("assets/*/report/section.html.j2", "{# a comment #}"),
        ("assets/*/card.md.j2", "{# a comment #}"),
        ("heddle/cli/*.py", "# a comment"),
        ("dagster_project/**/*.py", "# a comment"),
    ],
)
def test_what_no_training_imports_makes_no_training_stale(edit, pattern, comment):
    assert not edit(pattern, comment) & TRAINING


def test_an_edited_evaluation_is_itself_stale(edit):
    assert "clip_evaluation" in edit("assets/clip/evaluate/stage.py")


@pytest.mark.parametrize("family", FAMILIES)
def test_an_edited_network_makes_its_own_training_stale(edit, family):
    """And at most those of families that start from its weights, which read its output."""
    own = FAMILIES[family]
    weights = {f"data/{stage}" for stage in own}
    start_from_it = {stage for stage in TRAINING if weights & set(STAGES[stage]["deps"])}
    stale = edit(f"lightning_modules/{family}/*.py") & TRAINING
    assert own <= stale <= own | start_from_it
