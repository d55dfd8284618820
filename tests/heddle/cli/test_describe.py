"""`heddle describe` on the console: JSON on the standard output, remarks beside it, one line for mistakes."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from heddle.cli.commands import main
from heddle.content.schema import problems
from heddle.core.skipped import write_skipped
from heddle.core.stage import write_json
from lightning_modules.writer.content_writer import ContentWriter
from tests.support.echo_writer import EchoWriter, image, write_images
from tests.support.small_classifiers import NO_VISION
from tests.support.small_project import write_project

NO_WRITER = "0 train listings have words; bring some."


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("describing") / "project")
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / "data/writer" / name).touch()
    write_json(folder / "data/writer/lexicon.json", {"phrases": {"item": {}, "material": {}, "colour": {}}} | NOTHING)
    (folder / "one.png").write_bytes(image(1))
    write_images(folder / "photos", 20)
    return folder


NOTHING: dict[str, dict[str, str]] = {"predicates": {}, "labels": {}}


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> EchoWriter:
    made = EchoWriter()
    monkeypatch.setattr(ContentWriter, "from_folder", lambda folder, threads: made)
    return made


def _heddle(project: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.chdir(project)
    return CliRunner().invoke(main, ["describe", *arguments])


def test_one_image_is_json_with_scores(project: Path, writer: EchoWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    result = _heddle(project, monkeypatch, "one.png", "--context", 'friendly, "short" sentences')
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert problems(found["content"]) == []
    assert 'wishes: friendly, "short" sentences' in found["content"]["featured_media"]["alt_text"]
    assert found["scores"]["relevance"] >= 0
    assert 0 < found["scores"]["certainty"] < 1
    assert list(found["scores"]) == [
        *("relevance", "accuracy", "seo", "readability", "certainty", "errors", "overall"),
    ]  # fmt: skip


def test_describe_reads_objects_for_image_and_folder(
    project: Path, writer: EchoWriter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scene = {"objects": [{"label": "lamp"}]}
    (tmp_path / "scene.json").write_text(json.dumps(scene))
    result = _heddle(project, monkeypatch, "one.png", "--objects", str(tmp_path / "scene.json"))
    assert "lamp" in json.loads(result.stdout)["content"]["title"]
    (tmp_path / "scenes.json").write_text(json.dumps({"more/04.png": scene, "05.png": scene}))
    output = tmp_path / "lines.jsonl"
    result = _heddle(
        project, monkeypatch, "photos", "--objects", str(tmp_path / "scenes.json"), "--output", str(output)
    )
    assert "--objects: 1 images are not in photos: 05.png" not in result.stderr
    described = {line["path"] for line in map(json.loads, output.open()) if "lamp" in json.dumps(line)}
    assert described == {"more/04.png", "05.png"}
    (tmp_path / "scenes.json").write_text(json.dumps({"4.png": scene}))
    result = _heddle(
        project, monkeypatch, "photos", "--objects", str(tmp_path / "scenes.json"), "--output", str(output)
    )
    assert "--objects: 1 images are not in photos: 4.png" in result.stderr


def test_a_folder_becomes_lines_and_a_second_call_adds_none(
    project: Path, writer: EchoWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = _heddle(project, monkeypatch, "photos")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "20 described, 1 unreadable: photos/descriptions.jsonl" in result.stderr
    lines = (project / "photos/descriptions.jsonl").read_text()
    assert lines.count("\n") == 21
    result = _heddle(project, monkeypatch, "photos")
    assert "0 described, 20 unchanged, 1 unreadable" in result.stderr
    assert (project / "photos/descriptions.jsonl").read_text() == lines
    assert writer.batches == [16, 4]


def test_ctrl_c_says_how_to_go_on(
    project: Path, writer: EchoWriter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    writer.patience = 1
    output = tmp_path / "lines.jsonl"
    result = _heddle(project, monkeypatch, "photos", "--output", str(output))
    assert result.exit_code == 130
    assert f"Interrupted. Finished lines are in {output}; run the same command again to continue." in result.stderr
    assert output.read_text().count("\n") == 16
    writer.patience = None
    result = _heddle(project, monkeypatch, "photos", "--output", str(output))
    assert "4 described, 16 unchanged" in result.stderr


def test_what_there_is_no_score_for_is_said_once(
    project: Path, writer: EchoWriter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(project / "data/writer", bare / "data/writer")
    (bare / "data/vision").mkdir()
    write_skipped(bare / "data/vision", NO_VISION)
    result = _heddle(bare, monkeypatch, str(project / "photos"), "--output", "lines.jsonl")
    assert result.exit_code == 0
    for words in ("No relevance", NO_VISION, "No certainty", "Titles are not checked for repetition"):
        assert result.stderr.count(words) == 1
    scores = [json.loads(line)["scores"] for line in (bare / "lines.jsonl").open() if "scores" in line]
    assert all(one["relevance"] is one["accuracy"] is one["certainty"] is None for one in scores)


def test_what_a_person_can_mend_is_one_line_and_exit_1(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = _heddle(project, monkeypatch, "nowhere.png")
    assert (result.exit_code, result.stderr.strip()) == (1, "heddle: nowhere.png: no such file")
    result = _heddle(project, monkeypatch, "params.yaml")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    result = _heddle(project, monkeypatch, "data/shards")
    assert "heddle: data/shards: no image found; file extensions" in result.stderr
    result = _heddle(project, monkeypatch, "one.png", "--objects", "one.png")
    assert "heddle: one.png: Invalid JSON" in result.stderr
    result = _heddle(project, monkeypatch, "one.png", "--output", "lines.jsonl")
    assert (result.exit_code, "--output requires a FOLDER" in result.stderr) == (2, True)
    (tmp_path / "data/writer").mkdir(parents=True)
    result = _heddle(tmp_path, monkeypatch, str(project / "one.png"))
    assert (result.exit_code, "run `heddle run` or `dvc repro writer` first" in result.stderr) == (1, True)
    write_skipped(tmp_path / "data/writer", NO_WRITER)
    result = _heddle(tmp_path, monkeypatch, str(project / "one.png"))
    assert (result.exit_code, result.stderr.strip()) == (1, f"heddle: no trained writer: {NO_WRITER}")
