"""A family from ``heddle new-model`` goes all the way: trained, evaluated, checked, reported, released, registered."""

import json

import pytest

from tests.support.clones import Clone

pytestmark = pytest.mark.xdist_group("pipeline")

GATE = '"toy": [{"metric": "toy_evaluation.item.accuracy", "at_least": 0.0}]'  # too few listings for a higher bound


@pytest.fixture(scope="module")
def scaffolded(copy: Clone) -> Clone:
    """The finished pipeline after ``heddle new-model toy``, committed."""
    copy.output = copy.run("heddle", "new-model", "toy")
    params = copy.root / "params.yaml"
    text = params.read_text().replace("gates: {", f"gates: {{{GATE}, ")
    params.unlink()
    params.write_text(text)
    return copy


@pytest.fixture(scope="module")
def trained(scaffolded: Clone) -> Clone:
    """After DVC has run the two stages."""
    scaffolded.output = scaffolded.run("dvc", "repro", "toy_evaluation")
    return scaffolded


@pytest.fixture(scope="module")
def registered(trained: Clone) -> Clone:
    """After `heddle run` has done the rest."""
    trained.output = trained.run("heddle", "run")
    return trained


def test_the_scaffold_costs_eight_files_and_three_edits(scaffolded: Clone) -> None:
    status = scaffolded.run("git", "status", "--porcelain", "--untracked-files=all").splitlines()
    new = [line[3:] for line in status if line.startswith("??")]
    edited = [line[3:] for line in status if line.startswith(" M") and not line.endswith("dvc.lock")]
    assert len([path for path in new if path.startswith(("assets/toy/", "lightning_modules/toy/"))]) == 8
    assert sorted(edited) == ["assets/families.py", "dvc.yaml", "params.yaml"]


def test_the_two_stages_run(trained: Clone) -> None:
    assert "Running stage 'toy'" in trained.output
    assert "Running stage 'toy_evaluation'" in trained.output


def test_dvc_shows_its_metrics(trained: Clone) -> None:
    shown = json.loads(trained.run("dvc", "metrics", "show", "--json"))[""]["data"]
    accuracy = shown["data/toy_evaluation/metrics.json"]["data"]["item"]["accuracy"]
    assert 0 <= accuracy["low"] <= accuracy["value"] <= accuracy["high"] <= 1
    assert accuracy["value"] > accuracy["chance"]  # a title names its item


def test_dagster_has_the_assets_and_the_gate(registered: Clone) -> None:
    code = (
        "from dagster_project.definitions import defs\n"
        "graph = defs.resolve_asset_graph()\n"
        "print(sorted(key.to_user_string() for key in graph.get_all_asset_keys()))\n"
        "print(sorted(str(key.name) for key in graph.asset_check_keys))\n"
    )
    printed = registered.run("python", "-c", code)
    assert "'toy', 'toy_evaluation'" in printed
    assert "gate_toy_" in printed


def test_the_report_has_a_section(registered: Clone) -> None:
    page = (registered.root / "data/report/index.html").read_text()
    assert '<section id="toy">' in page
    assert "Title classification" in page


def test_the_model_is_released_and_registered(registered: Clone) -> None:
    assert "# toy: title classifier" in (registered.root / "data/release/toy/README.md").read_text()
    assert "Registered  toy@v1.0.0 (champion)" in registered.output
    assert "toy@v1.0.0" in registered.run("git", "tag").split()
