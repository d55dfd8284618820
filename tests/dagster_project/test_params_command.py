"""`heddle params` shows every effective value with its origin."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dagster_project import params_command
from dagster_project.parameter_values import parameter_table
from dagster_project.params_command import params
from heddle.core.parameters.provenance import EffectiveValue
from heddle.core.parameters.section import ParameterError
from heddle.core.terminal import PipeConsole

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def _json(*arguments: str) -> list[dict]:
    result = CliRunner().invoke(params, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads(result.output)


def test_params_json_names_key_value_origin_description() -> None:
    rows = {row["key"]: row for row in _json("tokenizer")}
    assert set(rows) == {"tokenizer.vocab_size", "tokenizer.min_frequency"}
    assert rows["tokenizer.vocab_size"]["origin"] == "scales/demo.yaml"
    assert rows["tokenizer.min_frequency"] | {"description": ""} == {
        "key": "tokenizer.min_frequency",
        "value": 2,
        "origin": "default",
        "description": "",
    }


def test_params_without_section_shows_all_sections_in_files() -> None:
    sections = {row["key"].split(".")[0] for row in _json()}
    assert {"clip", "writer", "schedules", "gates"} <= sections
    assert "published_content" not in sections


def test_params_table_shows_values(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(params_command.console, "_width", 200)
    params.main(["tokenizer"], standalone_mode=False)
    shown = capsys.readouterr().out
    assert "tokenizer.min_frequency" in shown
    assert "scales/demo.yaml" in shown


def test_params_misspelt_section_in_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scales").mkdir()
    (tmp_path / "scales/small.yaml").write_text("{}\n")
    (tmp_path / "params.yaml").write_text("scale: small\ncatalogue: {}\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParameterError, match=r"params\.yaml: catalogue: unknown section; allowed: .*catalog, "):
        params.main([], standalone_mode=False)


def test_params_unknown_section_names_the_allowed_ones() -> None:
    with pytest.raises(ParameterError, match=r"nope: unknown section; allowed: alignment, .*writer"):
        params.main(["nope"], standalone_mode=False)


def test_params_print_no_control_character_of_a_value() -> None:
    attack = "[b]\x1b[2J\u202e\x9b"
    file = io.StringIO()
    rows = [EffectiveValue("k", attack, "params.yaml", ""), EffectiveValue("l", [attack], "params.yaml", attack)]
    PipeConsole(file=file).print(parameter_table(rows))
    assert "[b]\\x1b[2J\\u202e\\x9b" in file.getvalue()
    assert not {"\x1b", "\u202e", "\x9b"} & set(file.getvalue())
