"""`heddle classify` on the console: tables, JSON and user errors."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from heddle.cli.commands import main
from tests.support.small_classifiers import CLASSES, NO_PRODUCT
from tests.support.small_project import ITEMS, write_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("classifying") / "project")
    Image.new("RGB", (30, 20), (200, 90, 20)).save(folder / "query.png")
    return folder


def _heddle(project: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    monkeypatch.chdir(project)
    result = CliRunner().invoke(main, ["classify", *arguments])
    return result.exit_code, result.output


def test_classify_prints_sorted_tables(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = _heddle(project, monkeypatch, "query.png", "--text", "oak chair", "-k", "2")
    assert code == 0
    shares = [float(word[:-1]) for word in output.split() if word.endswith("%")]
    assert len(shares) == 6  # item, material, product class: two of each
    assert all(first >= second for first, second in zip(shares[::2], shares[1::2], strict=True))
    assert "predicted without" not in output


def test_classify_json_contains_every_class(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = _heddle(project, monkeypatch, "query.png", "--json", "-k", "1")
    assert code == 0
    found = json.loads(output)
    assert set(found["labels"]["product"]["product_class"]) == set(CLASSES)
    assert set(ITEMS) <= set(found["labels"]["vision"]["item"])
    assert sum(found["labels"]["vision"]["item"].values()) == pytest.approx(1, abs=1e-5)
    assert (found["missing"], found["skipped"]) == (["text"], {})


def test_classify_prints_missing_text_and_skipped_models(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = project.parent / "bare"
    write_project(bare, bare=True)
    code, output = _heddle(bare, monkeypatch, str(project / "query.png"))
    assert code == 0
    assert NO_PRODUCT in output
    assert "Product class predicted without text." in _heddle(project, monkeypatch, "query.png")[1]


def test_classify_user_error_is_one_line_and_exit_1(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = _heddle(project, monkeypatch, "nowhere.png")
    assert code == 1
    assert output.strip() == "heddle: nowhere.png: no such file"
    code, output = _heddle(project, monkeypatch, "params.yaml")
    assert code == 1
    assert "params.yaml: not an image that can be read" in output
    empty = project.parent / "empty"
    empty.mkdir()
    code, output = _heddle(empty, monkeypatch, str(project / "query.png"))
    assert code == 1
    assert "run `heddle run`" in output
