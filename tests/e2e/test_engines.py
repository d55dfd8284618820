"""One graph, two engines: Dagster's run and DVC's own give the same lock, hash by hash."""

from pathlib import Path

import dagster as dg
import pytest
from ruamel.yaml import YAML

from dagster_project.workspace import open_instance

in_pipeline_group = pytest.mark.xdist_group("pipeline")  # tests of one group share the process that made the run
in_reproduced_group = pytest.mark.xdist_group("reproduced")


def _lock(root: Path) -> dict:
    return YAML(typ="safe").load(root / "dvc.lock")["stages"]


@in_reproduced_group
def test_engines_write_the_same_lock(reproduced, pipeline):
    by_dagster, by_dvc = _lock(pipeline.root), _lock(reproduced.root)
    assert by_dagster.keys() == by_dvc.keys()
    for stage in by_dvc:
        assert by_dagster[stage] == by_dvc[stage], stage


@in_reproduced_group
def test_heddle_verify_prints_no_traceback(reproduced):
    assert "Traceback" not in reproduced.output


@in_pipeline_group
def test_dvc_status_after_a_run_is_clean(copy):
    assert "up to date" in copy.run("dvc", "status")


@in_pipeline_group
def test_data_version_is_the_md5_in_the_lock(copy, monkeypatch):
    monkeypatch.chdir(copy.root)
    monkeypatch.setenv("DAGSTER_HOME", str(copy.root))
    with open_instance(copy.root) as instance:
        for stage, locked in _lock(copy.root).items():
            event = instance.get_latest_materialization_event(dg.AssetKey(stage))
            assert event.asset_materialization.tags["dagster/data_version"] == locked["outs"][0]["md5"]


@in_pipeline_group
def test_run_registers_what_passes_its_gates(copy):
    assert "clip@v1.0.0" in copy.run("git", "tag").split()
    assert "Registered  clip@v1.0.0 (champion)" in copy.output
    assert (copy.root / "data/report/index.html").is_file()


@in_pipeline_group
def test_second_run_executes_nothing(copy):
    assert "Everything is up to date" in copy.run("heddle", "run")
