"""The family descriptors agree with the graph, the folders and the templates."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from assets.families import FAMILIES, RELEASED
from assets.gates import Gates
from assets.sections import SECTIONS
from heddle.families.family import LOSS

ROOT = Path(__file__).parents[2]
DVC = YAML(typ="safe").load(ROOT / "dvc.yaml")


def test_families_import_no_torch():
    code = "import sys, assets.sections; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_every_stage_in_a_family_folder_belongs_to_the_family():
    programs = {name: stage["cmd"].removeprefix("python -m ").split(".")[1] for name, stage in DVC["stages"].items()}
    described = {stage.name: family.name for family in FAMILIES for stage in family.stages}
    names = {family.name for family in FAMILIES}
    assert described == {stage: folder for stage, folder in programs.items() if folder in names}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_last_training_stage_bears_the_family_name(family):
    assert family.train[-1].name == family.name
    assert (ROOT / "lightning_modules" / family.name).is_dir()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_release_and_report_read_every_stage(family):
    for collecting in ("release", "report"):
        if collecting == "release" and family.release is None:
            continue
        deps = DVC["stages"][collecting]["deps"]
        assert {f"data/{stage.name}" for stage in family.stages} <= set(deps)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_report_section_has_a_builder_and_a_template(family):
    module, _, function = family.section.builder.partition(":")
    assert callable(getattr(import_module(module), function))
    assert (ROOT / "assets" / family.section.template).is_file()


@pytest.mark.parametrize("family", RELEASED, ids=lambda family: family.name)
def test_a_released_family_has_a_card(family):
    assert (ROOT / "assets" / family.name / "card.md.j2").is_file()


def test_artifacts_are_the_released_families():
    expected = {
        family.name: {"path": f"data/release/{family.name}", "type": "model", "desc": family.summary}
        for family in RELEASED
    }
    assert DVC["artifacts"] == expected


def test_every_curve_is_a_plot():
    plotted: set[tuple[str, str]] = set()
    for plot in DVC["plots"]:
        for settings in plot.values():
            y = settings["y"] if isinstance(settings["y"], dict) else {}
            for file, columns in y.items():
                plotted |= {(file, column) for column in ([columns] if isinstance(columns, str) else columns)}
    for family in FAMILIES:
        for curve in family.curves:
            if curve is LOSS or curve.is_share:
                file = f"data/{curve.stage or family.name}/history.csv"
                assert {(file, column) for column in curve.columns} <= plotted, (family.name, curve.title)


def test_gates_name_metrics_of_the_family_s_evaluation():
    for family in RELEASED:
        assert {gate.stage for gate in family.gates} <= {family.evaluate.name}
    assert Gates().by_model() == {family.name: family.gates for family in RELEASED}


def test_headlines_belong_to_evaluated_families():
    assert all(family.headline for family in RELEASED)


def test_every_declared_section_has_a_class():
    declared = {
        name
        for stage in DVC["stages"].values()
        for entry in stage.get("params", [])
        for names in entry.values()
        for name in names
    }
    assert declared - {"seed", "scale"} <= SECTIONS.keys()
