"""Schedules launch what is stale, sensors tell what happened outside, automation stops where bytes are equal."""

import dagster as dg
import pytest

from dagster_project.automation import FORCED_INGEST
from dagster_project.staleness import add_descendants


def _schedule(toy, name: str) -> dg.ScheduleDefinition:
    return toy.definitions().resolve_schedule_def(name)


def _tick(toy, name: str):
    repository = toy.definitions().get_repository_def()
    with dg.build_schedule_context(instance=toy.instance, repository_def=repository) as context:
        return repository.get_schedule_def(name).evaluate_tick(context)


def _names(request: dg.RunRequest) -> set[str]:
    return {key.to_user_string() for key in request.asset_selection or ()}


def test_retrain_launches_nothing_when_nothing_is_stale(toy):
    tick = _tick(toy, "retrain")
    assert not tick.run_requests
    assert "up to date" in tick.skip_message


def test_retrain_launches_what_changed_and_all_downstream(toy):
    toy.write("scales/small.yaml", "prepared: {size: 1}\nencoder: {learning_rate: 0.01}\n")
    (request,) = _tick(toy, "retrain").run_requests
    expected = {"encoder", "encoder_evaluation", "index", "release", "experiment", "registry", "published_index"}
    assert _names(request) == expected
    assert expected == add_descendants(toy.definitions().resolve_asset_graph(), {"encoder"})


def test_retrain_sees_what_was_done_in_a_terminal(toy):
    toy.write("words/prepared.txt", "other words\n")
    toy.dvc("repro", "-q")
    (request,) = _tick(toy, "retrain").run_requests
    # The stages are up to date; what only Dagster makes is not.
    assert _names(request) == {"experiment", "registry", "published_index"}


def test_ingest_forces_the_catalogue_alone(toy):
    schedule = _schedule(toy, "ingest")
    assert schedule.job_name == "ingest"
    job = toy.definitions().resolve_job_def("ingest")
    assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == {"catalog"}
    result = toy.materialize("catalog", config=FORCED_INGEST)
    assert result.success
    (event,) = result.asset_materializations_for_node("catalog")
    assert event.metadata["outcome"].value == "ran"


def test_rerun_outcome_is_recorded(toy):
    (event,) = toy.materialize("catalog").asset_materializations_for_node("catalog")
    assert event.metadata["outcome"].value == "unchanged"
    (toy.root / "data/encoder/words.txt").unlink()
    (event,) = toy.materialize("encoder").asset_materializations_for_node("encoder")
    assert event.metadata["outcome"].value == "restored from the run cache"


def test_the_outside_sensor_reports_a_terminal_repro_once(toy):
    sensor = toy.definitions().resolve_sensor_def("outside_changes")

    def evaluate() -> list[str]:
        with dg.build_sensor_context(instance=toy.instance) as context:
            events = sensor.evaluate_tick(context).asset_events
        for event in events:
            toy.instance.report_runless_asset_event(event)
        return [event.asset_key.to_user_string() for event in events]

    assert evaluate() == []
    toy.write("words/prepared.txt", "other words\n")
    toy.dvc("repro", "-q")
    assert evaluate() == ["prepared", "encoder", "encoder_evaluation", "index", "release"]
    assert evaluate() == []


@pytest.mark.parametrize(
    ("words", "requested"), [("# a remark\ncatalog\n", set()), ("new listings\n", {"prepared", "index"})]
)
def test_automation_cuts_off_where_the_bytes_are_equal(toy, words, requested):
    definitions = toy.definitions()
    before = dg.evaluate_automation_conditions(definitions, toy.instance)
    toy.write("words/catalog.txt", words)
    assert toy.materialize("catalog").success
    result = dg.evaluate_automation_conditions(definitions, toy.instance, cursor=before.cursor)
    names = {asset.key.to_user_string() for asset in result.results if asset.true_subset.size}
    assert names == requested


def test_string_selections_and_parameter_overrides_work_together(toy):
    """Dagster needs antlr4 4.13, DVC's hydra once pinned 4.9: the pins satisfy both."""
    graph = toy.definitions().resolve_asset_graph()
    selected = dg.AssetSelection.from_string('+key:"prepared"').resolve(graph)
    assert {key.to_user_string() for key in selected} == {"catalog", "prepared"}
    toy.dvc("exp", "run", "-q", "-n", "rate", "-S", "scales/small.yaml:encoder.learning_rate=3e-4")
    assert "0.0003" in (toy.root / "scales/small.yaml").read_text()
