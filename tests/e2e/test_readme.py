"""The README keeps its word: every command in it runs, and its five lines point Heddle at another table."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image
from ruamel.yaml import YAML

from tests.support.clones import Clone, clone

pytestmark = pytest.mark.xdist_group("by_heddle")  # they share a clone that takes minutes to make

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = [line for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
SOURCES = [YAML(typ="safe").load(block) for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)]
CLOTHING = ROOT.parent / "shared/data/clothing"


@pytest.fixture(scope="module")
def copy(by_heddle, tmp_path_factory) -> Clone:
    """What `make run` left, to be changed freely."""
    folder = tmp_path_factory.mktemp("readme") / "heddle"
    shutil.copytree(by_heddle.root, folder, symlinks=True)
    Image.new("RGB", (300, 200), "peru").save(folder / "chair.jpg")  # the README's own image to classify
    (folder / "photos").mkdir()
    shutil.copy(folder / "chair.jpg", folder / "photos")
    return Clone(folder)


def test_the_first_two_commands_are_the_makefile_s():
    assert COMMANDS[:2] == ["make run", "make test"]


def test_make_run_ends_with_where_to_look_next(by_heddle):
    assert "data/report/index.html" in by_heddle.output
    assert by_heddle.output.count("\n  heddle ") >= 2


def test_make_test_is_this_suite(by_heddle):
    assert "-m pytest" in by_heddle.run("make", "--dry-run", "test")


@pytest.mark.parametrize("command", COMMANDS[2:])
def test_every_other_command_runs(copy, command):
    said = copy.run("bash", "-c", command.replace("scales/demo.yaml", "scales/smoke.yaml"))  # the clone's scale
    assert "Traceback" not in said
    if "exp run" in command:  # what it set was heard, where it matters
        assert set(re.findall(r"Running stage '(\w+)'", said)) >= {"reranker", "retrieval_evaluation", "report"}
        assert "Running stage 'clip'" not in said


def test_every_heddle_command_has_help(copy):
    listed = re.findall(r"^  (\w+)  ", copy.run("heddle", "--help").partition("Commands:")[2], re.MULTILINE)
    assert {"run", "verify", "ui", "search", "ask", "classify", "describe", "registry", "status"} <= set(listed)
    for command in listed:
        assert "Usage: heddle" in copy.run("heddle", command, "--help")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source["catalog"]["sources"][0]["kind"])
def test_the_sources_shown_are_valid(source):
    from heddle.sources.parameters import CatalogParameters

    (validated,) = CatalogParameters.model_validate(source["catalog"]).sources
    assert validated.kind == source["catalog"]["sources"][0]["kind"]


@pytest.mark.skipif(not CLOTHING.is_dir(), reason="../shared/data/clothing is not there")
def test_five_lines_point_it_at_a_table(tmp_path):
    made = clone(tmp_path / "heddle")
    yaml = YAML()
    params = yaml.load(made.root / "params.yaml")
    source = SOURCES[0]["catalog"]["sources"][0]
    assert len(source) <= 5
    params["catalog"]["sources"] = [{**source, "path": str(CLOTHING / "listings.csv")}]
    yaml.dump(params, made.root / "params.yaml")
    made.run("dvc", "repro", "shards", "tokenizer")
    with (CLOTHING / "listings.csv").open(newline="") as file:
        rows = len(list(csv.DictReader(file)))
    counts = json.loads((made.root / "data/catalog/metrics.json").read_text())
    assert counts["listings_fetched"] == rows
    accepted = json.loads((made.root / "data/validated/metrics.json").read_text())["listings_accepted"]
    assert accepted > 0.9 * rows - counts["listings_duplicates"]
    assert list((made.root / "data/shards/train").glob("*.tar"))
