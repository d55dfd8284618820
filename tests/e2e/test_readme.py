"""Every command in the README runs, and its five lines of YAML point Heddle at another table."""

import csv
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from ruamel.yaml import YAML

from heddle.cli import main
from tests.support.clones import clone

pytestmark = pytest.mark.xdist_group("pipeline")

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = [line for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
SOURCES = [YAML(typ="safe").load(block) for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)]
CLOTHING = ROOT.parent / "shared/data/clothing"
RUN_ELSEWHERE = ("make ", "heddle verify")  # the fixtures `pipeline` and `reproduced` of tests/e2e/test_engines.py
OTHER_COMMANDS = [line for line in COMMANDS if not line.startswith(RUN_ELSEWHERE)]
IN_THIS_PROCESS = ("search", "classify", "describe", "recommend")
"""Subcommands of ``heddle`` that need no process of their own, which would import torch again for each of them."""


@pytest.fixture(scope="module")
def root(copy) -> Path:
    """The project after `make run`, with the images that the README's commands name."""
    (copy.root / "photos").mkdir()
    for name in ("chair.jpg", "photos/chair.jpg"):
        Image.new("RGB", (300, 200), "peru").save(copy.root / name)
    return copy.root


def test_readme_starts_with_make():
    assert COMMANDS[:2] == ["make run", "make test"]
    assert "`make test-all`" in README


def test_make_run_ends_with_next_steps(pipeline):
    assert "data/report/index.html" in pipeline.output
    assert pipeline.output.count("\n  heddle ") >= 2


def test_make_test_runs_pytest(pipeline):
    assert "-m pytest" in pipeline.run("make", "--dry-run", "test")


@pytest.mark.parametrize("command", OTHER_COMMANDS)
def test_readme_command_runs(root, copy, monkeypatch, command):
    words = shlex.split(command)
    if words[0] == "heddle" and words[1] in IN_THIS_PROCESS:
        monkeypatch.chdir(root)
        result = CliRunner().invoke(main, words[1:])
        assert result.exit_code == 0, result.output
        return
    printed = copy.run("bash", "-c", command.replace("scales/demo.yaml", "scales/smoke.yaml"))  # the clone's scale
    assert "Traceback" not in printed
    if "exp run" in command:  # the parameter that it sets reaches the stages that read it, and no others
        assert set(re.findall(r"Running stage '(\w+)'", printed)) >= {"reranker", "retrieval_evaluation", "report"}
        assert "Running stage 'clip'" not in printed


def test_heddle_commands_have_help(copy):
    listed = re.findall(r"^  (\w+)  ", copy.run("heddle", "--help").partition("Commands:")[2], re.MULTILINE)
    assert {"run", "verify", "ui", "search", "ask", "classify", "describe", "registry", "status"} <= set(listed)
    for command in listed:
        result = CliRunner().invoke(main, [command, "--help"])
        assert "Usage:" in result.output


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source["catalog"]["sources"][0]["kind"])
def test_readme_sources_are_valid(source):
    from heddle.sources.parameters import CatalogParameters

    (validated,) = CatalogParameters.model_validate(source["catalog"]).sources
    assert validated.kind == source["catalog"]["sources"][0]["kind"]


@pytest.mark.skipif(not CLOTHING.is_dir(), reason="../shared/data/clothing is not there")
def test_readme_table_source_reads_another_table(tmp_path):
    made = clone(tmp_path / "heddle")
    yaml = YAML()
    params = yaml.load(made.root / "params.yaml")
    source = SOURCES[0]["catalog"]["sources"][0]
    assert len(source) <= 5
    params["catalog"]["sources"] = [source]
    shutil.copytree(CLOTHING, made.root / "sources/clothing", copy_function=shutil.copyfile)
    yaml.dump(params, made.root / "params.yaml")
    made.run("dvc", "repro", "shards", "tokenizer")
    with (CLOTHING / "listings.csv").open(newline="") as file:
        rows = len(list(csv.DictReader(file)))
    counts = json.loads((made.root / "data/catalog/metrics.json").read_text())
    assert counts["listings_fetched"] == rows
    accepted = json.loads((made.root / "data/validated/metrics.json").read_text())["listings_accepted"]
    assert accepted > 0.9 * rows - counts["listings_duplicates"]
    assert list((made.root / "data/shards/train").glob("*.tar"))
