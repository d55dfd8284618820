"""``heddle run`` as a command: output and exit codes."""

import json
import subprocess
import sys

import pytest
from ruamel.yaml import YAML


def test_run_up_to_date_executes_nothing(toy):
    before = toy.instance.get_runs_count()
    second = toy.heddle("run")
    assert second.returncode == 0
    assert "Everything is up to date." in second.stdout
    assert toy.instance.get_runs_count() == before


@pytest.mark.slow
def test_run_after_edit_executes_downstream_stages_only(toy):
    toy.write("scales/small.yaml", "prepared: {size: 1}\nencoder: {learning_rate: 0.01}\n")
    ended = toy.heddle("run")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    ran = {line.partition(":")[0] for line in ended.stdout.splitlines() if ": ran in" in line}
    assert ran == {"encoder", "encoder_evaluation", "index", "release"}
    assert "clip@v1.1.0" in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) < 1_000  # a pipe has no width to fill


@pytest.mark.slow
def test_run_failing_stage_prints_error_and_keeps_the_rest(toy):
    toy.write("words/encoder.txt", "fail\n")
    ended = toy.heddle("run")
    assert ended.returncode == 1
    assert "words/encoder.txt, row 1: 'fail' is not a word; write another" in ended.stdout
    assert toy.changed() >= {"encoder"}
    toy.write("words/encoder.txt", "clip\n")
    assert toy.heddle("run").returncode == 0
    assert not toy.changed()


@pytest.mark.slow
def test_run_failed_gate_exits_2_and_registers_nothing(toy):
    toy.write("words/encoder.txt", "bad\n")
    ended = toy.heddle("run")
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert "Not registered" in ended.stdout
    assert "encoder_evaluation.text_to_image.recall must be at least 0.5, found 0.4" in ended.stdout
    assert toy.shell("git", "tag").split() == ["clip#champion#1", "clip@v1.0.0"]
    assert not toy.changed()


def test_run_wrong_parameter_executes_nothing(fresh):
    fresh.write("params.yaml", (fresh.root / "params.yaml").read_text() + "catalogue: {}\n")
    ended = fresh.heddle("run")
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"heddle: {fresh.root}/params.yaml: catalogue: unknown section; allowed: ")
    assert len(ended.stderr.splitlines()) == 1
    assert fresh.instance.get_runs_count() == 0


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("gates: {clip: [{metric: encoder_evaluation.recall}]}", "give exactly one of at_least and at_most"),
        ("catalogue: {}", "params.yaml: catalogue: unknown section; allowed: "),
        ("gates: {clap: []}", "params.yaml: gates.clap: unknown key; allowed: assistant, clip"),
        ("scale: huge", "scales/huge.yaml: no such file. params.yaml: scale may be one of: large, small"),
    ],
)
def test_status_wrong_parameter_prints_file_key_and_allowed(fresh, text, answer):
    yaml = YAML(typ="safe")
    fresh.write("params.yaml", json.dumps(yaml.load(fresh.root / "params.yaml") | yaml.load(text)))  # JSON is YAML too
    ended = fresh.invoke("status")
    assert ended.exit_code == 1
    assert answer in ended.stderr
    assert isinstance(ended.exception, SystemExit)  # a message, not a traceback


@pytest.mark.parametrize("command", ["run", "status", "verify"])
def test_command_outside_a_project_fails_without_torch(tmp_path, command):
    """Packages that only models need take many seconds to import."""
    command_line = [sys.executable, "-X", "importtime", "-m", "heddle.cli", command]
    ended = subprocess.run(command_line, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600)
    assert ended.returncode == 1
    (line,) = [line for line in ended.stderr.splitlines() if not line.startswith("import time:")]
    assert line == f"heddle: no dvc.yaml in {tmp_path}; run the command in the project root"
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "click" in imported
    assert not imported & {"torch", "transformers", "lightning", "scrapy"}
