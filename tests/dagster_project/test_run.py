"""``heddle run`` as a person meets it."""

import json
import subprocess
import sys

import pytest
from ruamel.yaml import YAML


def test_a_second_run_executes_nothing_and_says_so(toy):
    before = toy.instance.get_runs_count()
    second = toy.heddle("run")
    assert second.returncode == 0
    assert "Everything is up to date: nothing to run." in second.stdout
    assert toy.instance.get_runs_count() == before


def test_after_one_edit_exactly_what_is_downstream_runs(toy):
    toy.write("scales/small.yaml", "prepared: {size: 1}\nencoder: {learning_rate: 0.01}\n")
    ended = toy.heddle("run")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    ran = {line.partition(":")[0] for line in ended.stdout.splitlines() if ": ran in" in line}
    assert ran == {"encoder", "encoder_evaluation", "index", "release"}
    assert "clip@v1.1.0" in ended.stdout


def test_a_failing_stage_says_why_and_the_rest_is_kept(toy):
    toy.write("words/encoder.txt", "fail\n")
    ended = toy.heddle("run")
    assert ended.returncode == 1
    assert "words/encoder.txt, row 1: 'fail' is not a word; write another" in ended.stdout
    assert toy.changed() >= {"encoder"}
    toy.write("words/encoder.txt", "clip\n")
    assert toy.heddle("run").returncode == 0
    assert not toy.changed()


def test_a_missed_gate_runs_to_the_end_and_registers_nothing_new(toy):
    toy.write("words/encoder.txt", "bad\n")
    ended = toy.heddle("run")
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert "Not registered" in ended.stdout
    assert "encoder_evaluation.recall must be at least 0.5, found 0.4" in ended.stdout
    assert toy.shell("git", "tag").split() == ["clip#champion#1", "clip@v1.0.0"]
    assert not toy.changed()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("gates: {clip: [{metric: encoder_evaluation.recall}]}", "give exactly one of at_least and at_most"),
        ("gates: {clap: []}", "params.yaml: gates.clap: unknown key; allowed: assistant, clip"),
        ("scale: huge", "scales/huge.yaml: no such file. params.yaml: scale may be one of: large, small"),
    ],
)
def test_a_mistake_in_the_parameters_is_answered_with_file_key_and_what_is_allowed(toy, text, answer):
    yaml = YAML(typ="safe")
    toy.write("params.yaml", json.dumps(yaml.load(toy.root / "params.yaml") | yaml.load(text)))  # JSON is YAML too
    ended = toy.heddle("run")
    assert ended.returncode == 1
    assert answer in ended.stderr
    assert "Traceback" not in ended.stderr


def test_outside_a_project_it_says_where_to_run(tmp_path, toy):
    toy.root = tmp_path / "elsewhere"
    toy.root.mkdir()
    ended = toy.heddle("run")
    assert ended.returncode == 1
    assert "run heddle in the project's root" in ended.stderr


@pytest.mark.parametrize("command", ["run", "status", "verify"])
def test_a_mistake_is_told_at_once(tmp_path, command):
    """Without what models alone need, which takes many seconds to import."""
    told = [sys.executable, "-X", "importtime", "-m", "heddle.cli", command]
    ended = subprocess.run(told, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600)
    assert ended.returncode == 1
    assert "project's root" in ended.stderr.splitlines()[-1]
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "click" in imported
    assert not imported & {"torch", "transformers", "lightning", "scrapy"}
