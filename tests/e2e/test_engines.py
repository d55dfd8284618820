"""One graph, two engines: Dagster's run and DVC's own give the same lock, hash by hash."""

import pytest
from ruamel.yaml import YAML

from dagster_project.workspace import open_instance

in_heddles_group = pytest.mark.xdist_group("by_heddle")  # they share clones that take minutes to make
in_dvcs_group = pytest.mark.xdist_group("by_dvc")


def _lock(clone) -> dict:
    return YAML(typ="safe").load(clone.root / "dvc.lock")["stages"]


@in_dvcs_group
def test_both_engines_write_the_same_lock(by_dvc, by_heddle):  # the other process makes its clone meanwhile
    heddle, dvc = _lock(by_heddle), _lock(by_dvc)
    assert heddle.keys() == dvc.keys()
    for stage in dvc:
        assert heddle[stage] == dvc[stage], stage


@in_heddles_group
def test_after_a_run_dvc_status_is_clean(by_heddle):
    assert "up to date" in by_heddle.run("dvc", "status")


@in_heddles_group
def test_every_data_version_is_the_md5_in_the_lock(by_heddle, monkeypatch):
    monkeypatch.chdir(by_heddle.root)
    import dagster as dg

    with open_instance(by_heddle.root) as instance:
        for stage, locked in _lock(by_heddle).items():
            event = instance.get_latest_materialization_event(dg.AssetKey(stage))
            assert event.asset_materialization.tags["dagster/data_version"] == locked["outs"][0]["md5"]


@in_heddles_group
def test_the_run_registered_what_passed_its_gates(by_heddle):
    assert "clip@v1.0.0" in by_heddle.run("git", "tag").split()
    assert "Registered  clip@v1.0.0 (champion)" in by_heddle.output
    assert (by_heddle.root / "data/report/index.html").is_file()


@in_heddles_group
def test_a_second_run_executes_nothing(by_heddle):
    assert "Everything is up to date" in by_heddle.run("heddle", "run")
