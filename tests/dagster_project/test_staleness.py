"""What Dagster calls stale is what ``dvc status`` calls changed."""

from collections.abc import Callable

import dagster as dg
import pytest
from ruamel.yaml import YAML

from dagster_project.dvc.mirror import mirror
from dagster_project.staleness import find_stale_assets

ALL = {"catalog", "prepared", "encoder", "encoder_evaluation", "index", "release"}


def _nothing(toy) -> None:
    pass


def _lower_rate(toy) -> None:
    toy.write("scales/small.yaml", "prepared: {size: 1}\nencoder: {learning_rate: 0.01}\n")


def _edit_source(toy) -> None:
    toy.write("words/prepared.txt", "other words\n")


def _edit_that_changes_no_output(toy) -> None:
    toy.write("words/prepared.txt", "# a remark\nprepared\n")


def _delete_output(toy) -> None:
    (toy.root / "data/prepared/words.txt").unlink()
    (toy.root / "data/prepared/metrics.json").unlink()
    (toy.root / "data/prepared").rmdir()


def _corrupt_output(toy) -> None:
    toy.write("data/encoder/words.txt", "rust")


def _older_lock(toy) -> None:
    old = (toy.root / "dvc.lock").read_text()
    _lower_rate(toy)
    toy.dvc("repro", "-q")
    mirror(toy.project, toy.instance)
    assert not toy.stale()
    toy.write("dvc.lock", old)


def _repro_in_terminal(toy) -> None:
    _edit_source(toy)
    toy.dvc("repro", "-q")


def _repro_of_one_stage_in_terminal(toy) -> None:
    _edit_source(toy)
    toy.dvc("repro", "-q", "-s", "prepared")


def _apply_experiment(toy) -> None:
    toy.dvc("exp", "run", "-q", "-n", "other-rate", "-S", "scales/small.yaml:encoder.learning_rate=0.5")
    toy.shell("git", "checkout", "-q", "--", ".")
    toy.dvc("checkout", "-q")
    mirror(toy.project, toy.instance)
    toy.dvc("exp", "apply", "-q", "other-rate")


def _rerun_with_same_bytes(toy) -> None:
    _edit_that_changes_no_output(toy)
    toy.dvc("repro", "-q", "-s", "prepared")


def _new_data(toy) -> None:
    toy.write("words/catalog.txt", "new listings\n")
    toy.dvc("repro", "-q", "-s", "-f", "catalog")


def _other_seed(toy) -> None:
    toy.write("params.yaml", (toy.root / "params.yaml").read_text().replace("seed: 1", "seed: 2"))


def _other_scale(toy) -> None:
    toy.write("params.yaml", (toy.root / "params.yaml").read_text().replace("scale: small", "scale: large"))


def _new_dependency(toy) -> None:
    toy.write(
        "dvc.yaml",
        (toy.root / "dvc.yaml")
        .read_text()
        .replace("data/encoder, data/catalog]", "data/encoder, data/catalog, data/prepared]"),
    )


def _other_command(toy) -> None:
    toy.write("dvc.yaml", (toy.root / "dvc.yaml").read_text().replace("stage.py index", "stage.py index --quick"))


def _lost_cache(toy) -> None:
    for file in (toy.root / ".dvc/cache/files").rglob("*.dir"):
        file.chmod(0o600)
        file.unlink()


def _forgotten_stage(toy) -> None:
    yaml = YAML()
    lock = yaml.load(toy.root / "dvc.lock")
    del lock["stages"]["index"]
    yaml.dump(lock, toy.root / "dvc.lock")


SCENARIOS: list[tuple[Callable, set[str]]] = [
    (_nothing, set()),
    (_lower_rate, {"encoder"}),
    (_edit_source, {"prepared"}),
    (_edit_that_changes_no_output, {"prepared"}),
    (_delete_output, {"prepared", "encoder", "encoder_evaluation"}),
    (_corrupt_output, {"encoder", "encoder_evaluation", "index", "release"}),
    (_older_lock, {"encoder", "encoder_evaluation", "index", "release"}),
    (_repro_in_terminal, set()),
    (_repro_of_one_stage_in_terminal, {"encoder", "encoder_evaluation"}),
    (_apply_experiment, set()),
    (_rerun_with_same_bytes, set()),
    (_new_data, {"prepared", "index"}),
    (_other_seed, {"catalog"}),
    (_other_scale, {"prepared", "encoder"}),
    (_new_dependency, {"index"}),
    (_other_command, {"index"}),
    (_lost_cache, ALL),
    (_forgotten_stage, {"index"}),
]


@pytest.mark.parametrize(("change", "expected"), SCENARIOS, ids=[change.__name__.strip("_") for change, _ in SCENARIOS])
def test_stale_in_dagster_is_changed_in_dvc(toy, change, expected):
    assert not toy.changed()
    assert not toy.stale()

    change(toy)
    mirror(toy.project, toy.instance)

    assert toy.stale() == toy.changed() == expected
    assert {state.name for state in toy.project.states().values() if state.changed} == expected


def test_before_the_first_run_everything_is_stale_in_both(fresh):
    assert mirror(fresh.project, fresh.instance) == []
    assert fresh.stale() == fresh.changed() == ALL


def test_after_a_run_every_data_version_is_the_md5_in_the_lock(toy):
    for name, state in toy.project.states().items():
        event = toy.instance.get_latest_materialization_event(dg.AssetKey(name))
        assert event.asset_materialization.tags["dagster/data_version"] == state.recorded_data_version
        assert event.asset_materialization.tags["dagster/code_version"] == state.recorded_code_version
    assert mirror(toy.project, toy.instance) == []


def test_must_run_is_what_changed_and_all_downstream(toy):
    graph = toy.definitions().resolve_asset_graph()
    assert find_stale_assets(toy.project, graph, toy.instance) == set()
    _lower_rate(toy)
    # `graph` was loaded before the edit: the decision must not rest on it.
    expected = {"encoder", "encoder_evaluation", "index", "release", "experiment", "registry", "published_index"}
    assert find_stale_assets(toy.project, graph, toy.instance) == expected


def test_while_dvc_is_at_work_nothing_is_reported(toy):
    _delete_output(toy)
    toy.write(".dvc/tmp/rwlock", '{"write": {"data/enc')  # as DVC leaves it for a moment, rewriting it in place
    assert mirror(toy.project, toy.instance) == []
    toy.write(".dvc/tmp/rwlock", "{}")
    assert mirror(toy.project, toy.instance) == ["prepared"]
