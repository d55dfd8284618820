"""The command group: wrong arguments are refused before slow imports, damaged files without a traceback."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from heddle.cli.commands import main
from tests.support.small_project import write_project

SLOW = {"torch", "transformers", "lightning", "sentence_transformers"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["search", "nosuch.jpg"], 1, "heddle: nosuch.jpg: no such file"),
        (["search", "params.yaml"], 1, "heddle: params.yaml: not an image that can be read"),
        (["classify", "nosuch.jpg"], 1, "heddle: nosuch.jpg: no such file"),
        (["describe", "nosuch"], 1, "heddle: nosuch: no such file"),
        (["recommend", "chair", "-k", "0"], 2, "0 is not in the range 1<=x<=1000"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_argument_is_refused_without_torch(project: Path, arguments: list[str], code: int, message: str) -> None:
    """The project is complete, so that only the argument is wrong."""
    _check_refused_without_torch(project, arguments, code, message)


@pytest.mark.parametrize(
    ("missing", "query", "message"),
    [
        ("recommender", "chair", "heddle: data/recommender lacks nodes.parquet, edges.parquet: run `heddle run`"),
        ("vision", "query.png", "heddle: data/vision lacks config.json, model.safetensors: run `heddle run`"),
    ],
)
def test_recommend_names_missing_model_without_torch(
    project: Path, tmp_path: Path, missing: str, query: str, message: str
) -> None:
    copy = tmp_path / "project"
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns(missing))
    _write_image(copy / "query.png")
    _check_refused_without_torch(copy, ["recommend", query], 1, message)


def _check_refused_without_torch(project: Path, arguments: list[str], code: int, message: str) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "heddle.cli", *arguments]
    ended = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=600)
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("import time:")]
    assert (ended.returncode, message in lines[-1]) == (code, True)
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "click" in imported
    assert not imported & SLOW


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("commands") / "project")


DAMAGE = [  # file, what is left of it as a share, a command that reads it
    ("data/vision/model.safetensors", 0.5, ["classify", "query.png"]),
    ("data/vision/model.safetensors", 0.0, ["classify", "query.png"]),
    ("data/vision/config.json", 0.5, ["classify", "query.png"]),
    ("data/product/tokenizer.json", 0.5, ["classify", "query.png"]),
    ("data/recommender/nodes.parquet", 0.5, ["recommend", "chair"]),
    ("data/recommender/edges.parquet", 0.0, ["recommend", "chair"]),
    ("data/validated/quarantine.parquet", 0.5, ["quarantine", "show"]),
]


@pytest.mark.parametrize(("file", "share", "command"), DAMAGE)
def test_damaged_file_is_one_line_with_file_and_remedy(
    project: Path, monkeypatch: pytest.MonkeyPatch, file: str, share: float, command: list[str]
) -> None:
    monkeypatch.chdir(project)
    _write_image(project / "query.png")
    content = Path(file).read_bytes()
    Path(file).write_bytes(content[: int(len(content) * share)])
    try:
        result = CliRunner().invoke(main, command)
    finally:
        Path(file).write_bytes(content)
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert line.startswith(f"heddle: {file}: ")
    assert f"`dvc checkout --force {Path(file).parent}`" in line


def _write_image(file: Path) -> None:
    Image.new("RGB", (30, 20), (200, 90, 20)).save(file)


def test_unknown_exception_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("heddle.cli.ask.ask", fail)
    assert isinstance(CliRunner().invoke(main, ["ask", "chair?"]).exception, KeyError)
