"""``heddle new-model``: which names it accepts and what it writes."""

import ast
import importlib
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML

from heddle.cli.commands import main

ROOT = Path(__file__).parents[3]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The three files that the command edits."""
    for path in ("dvc.yaml", "params.yaml", "assets/families.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new_model(name: str) -> Result:
    return CliRunner().invoke(main, ["new-model", name])


def test_new_model_writes_eight_files_and_edits_three(project: Path) -> None:
    before = {file.relative_to(project) for file in project.rglob("*") if file.is_file()}
    ended = new_model("toy")
    assert ended.exit_code == 0, ended.output
    written = {file.relative_to(project) for file in project.rglob("*") if file.is_file()} - before
    assert len(written) <= 8
    edited = [path for path in before if (project / path).read_bytes() != (ROOT / path).read_bytes()]
    assert len(edited) <= 3
    for file in written:
        if file.suffix == ".py":
            compile((project / file).read_text(), str(file), "exec")


def test_new_files_import_only_names_that_exist(project: Path) -> None:
    new_model("toy")
    files = [file for file in project.rglob("*.py") if "toy" in file.parts]
    assert files
    for file in files:
        for statement in ast.walk(ast.parse(file.read_text())):
            if isinstance(statement, ast.ImportFrom) and statement.module and "toy" not in statement.module:
                module = importlib.import_module(statement.module)
                missing = [name.name for name in statement.names if not hasattr(module, name.name)]
                assert not missing, f"{file.name} imports {missing} from {statement.module}"


def test_new_model_keeps_the_rest_of_dvc_yaml(project: Path) -> None:
    new_model("toy")
    before, after = (YAML(typ="safe").load(folder / "dvc.yaml") for folder in (ROOT, project))
    for collecting in ("release", "report"):
        stage = after["stages"][collecting]
        assert stage["deps"][-2:] == ["data/toy", "data/toy_evaluation"]
        stage["deps"] = stage["deps"][:-2]
    assert after["stages"]["release"]["params"][0]["params.yaml"].pop() == "toy"
    assert after["metrics"][-2:] == ["data/toy/metrics.json", "data/toy_evaluation/metrics.json"]
    after["metrics"] = after["metrics"][:-2]
    assert after["artifacts"].pop("toy")["path"] == "data/release/toy"
    assert after["stages"].pop("toy")["cmd"] == "python -m assets.toy.train"
    assert after["stages"].pop("toy_evaluation")["cmd"] == "python -m assets.toy.evaluate"
    assert after == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Toy", "found 'Toy', allowed: lower-case letters, digits and _, a letter first"),
        ("2toy", "found '2toy'"),
        ("clip", "'clip' is taken by clip, clip_evaluation"),
        ("shards", "'shards' is taken by shards"),
    ],
)
def test_new_model_refuses_a_name_that_is_taken_or_malformed(project: Path, name: str, message: str) -> None:
    ended = new_model(name)
    assert ended.exit_code == 1
    assert message in ended.stderr
    assert (project / "dvc.yaml").read_bytes() == (ROOT / "dvc.yaml").read_bytes()


def test_new_model_outside_of_a_project_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "run the command in the project root" in new_model("toy").stderr
