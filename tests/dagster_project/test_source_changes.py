"""The sensor `source_changes`: an ingest for each change, tried again until one succeeds."""

import logging
from types import SimpleNamespace

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.source_changes import LAUNCH_TAG, poll

FAILED = dg.DagsterRunStatus.FAILURE
SUCCEEDED = dg.DagsterRunStatus.SUCCESS


class Daemon:
    """Polls as Dagster's daemon does: keeps the cursor, and launches a run key once. Also its instance: the runs."""

    def __init__(self) -> None:
        self.cursor: str | None = None
        self.runs: dict[str, dg.DagsterRunStatus] = {}
        self.keys: set[str] = set()

    def get_runs(self, filters: dg.RunsFilter, limit: int) -> list[SimpleNamespace]:
        status = self.runs.get(filters.tags[LAUNCH_TAG])
        return [SimpleNamespace(status=status)][:limit] if status else []

    def poll(self, tokens: dict[str, str], failures: dict[str, str] | None = None) -> dg.SensorResult:
        context = SimpleNamespace(instance=self, cursor=self.cursor, log=logging.getLogger())
        result = poll(context, tokens, failures or {})
        self.cursor = result.cursor
        return result

    def launch(self, result: dg.SensorResult, status: dg.DagsterRunStatus) -> None:
        """Create the run of the one request, with this result."""
        (request,) = result.run_requests
        assert request.run_key not in self.keys, "Dagster would not launch this key again"
        self.keys.add(request.run_key)
        self.runs[request.tags[LAUNCH_TAG]] = status


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


def test_sensor_tries_a_failed_ingest_again(toy, monkeypatch):
    sensor = toy.definitions().resolve_sensor_def("source_changes")
    assert sensor.job_name == "ingest"
    job = toy.definitions().resolve_job_def("ingest")
    results = []
    for day in ("monday", "tuesday", "tuesday", "tuesday"):
        monkeypatch.setattr(
            "assets.catalog.change_detection.compute_change_tokens", lambda root, day=day: ({"a": day}, {})
        )
        with dg.build_sensor_context(instance=toy.instance, cursor=results[-1].cursor if results else None) as context:
            results.append(sensor.evaluate_tick(context))
        for request in results[-1].run_requests:
            status = FAILED if len(results) == 2 else SUCCEEDED
            toy.instance.create_run_for_job(job, status=status, tags=request.tags)
    assert [len(result.run_requests) for result in results] == [0, 1, 1, 0]


def test_poll_first_time_records_the_sources(daemon):
    assert not daemon.poll({"shop": "monday"}).run_requests
    assert "No source has changed" in daemon.poll({"shop": "monday"}).skip_reason.skip_message


def test_poll_after_failed_ingest_launches_again_once_a_poll(daemon):
    daemon.poll({"shop": "monday"})
    for _ in range(3):
        daemon.launch(daemon.poll({"shop": "tuesday"}), FAILED)
    daemon.launch(daemon.poll({"shop": "tuesday"}), SUCCEEDED)
    assert not daemon.poll({"shop": "tuesday"}).run_requests


def test_poll_during_an_ingest_launches_no_second_one(daemon):
    daemon.poll({"shop": "monday"})
    daemon.launch(daemon.poll({"shop": "tuesday"}), dg.DagsterRunStatus.STARTED)
    assert "in progress" in daemon.poll({"shop": "wednesday"}).skip_reason.skip_message


def test_poll_change_during_an_ingest_is_launched_after_it(daemon):
    daemon.poll({"shop": "monday"})
    daemon.launch(daemon.poll({"shop": "tuesday"}), SUCCEEDED)
    daemon.launch(daemon.poll({"shop": "wednesday"}), SUCCEEDED)
    assert not daemon.poll({"shop": "wednesday"}).run_requests


def test_poll_source_that_returns_to_an_earlier_state_is_ingested(daemon):
    daemon.poll({"shop": "monday"})
    for state in ("tuesday", "monday", "tuesday"):
        daemon.launch(daemon.poll({"shop": state}), SUCCEEDED)
        assert not daemon.poll({"shop": state}).run_requests


def test_poll_source_that_is_down_is_named_and_hides_no_other_one(daemon):
    daemon.poll({"shop": "a", "table": "a"})
    down = {"shop": "source shop: request failed"}
    assert "source shop: request failed" in daemon.poll({"table": "a"}, down).skip_reason.skip_message
    daemon.launch(daemon.poll({"table": "b"}, down), SUCCEEDED)
    assert not daemon.poll({"shop": "a", "table": "b"}).run_requests  # the shop's token was kept
    daemon.launch(daemon.poll({"shop": "b", "table": "b"}), SUCCEEDED)


def test_poll_added_or_removed_source_is_ingested(daemon):
    daemon.poll({"shop": "a"})
    daemon.launch(daemon.poll({"shop": "a", "table": "a"}), SUCCEEDED)
    daemon.launch(daemon.poll({"table": "a"}), SUCCEEDED)
    assert not daemon.poll({"table": "a"}).run_requests


@pytest.mark.parametrize("cursor", ["0123456789abcdef", "[]", '{"seen": 1, "more": 2}', ""])
def test_poll_unreadable_cursor_starts_over(daemon, cursor):
    daemon.cursor = cursor
    assert not daemon.poll({"shop": "a"}).run_requests
    daemon.launch(daemon.poll({"shop": "b"}), SUCCEEDED)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=8))
def test_poll_ends_with_the_newest_state_ingested(polls):
    """Against a model: the state of the last successful ingest differs from the newest one exactly if one is due."""
    daemon, ingested = Daemon(), "start"
    daemon.poll({"shop": ingested})
    for state, succeeds in polls:
        result = daemon.poll({"shop": state})
        assert bool(result.run_requests) == (state != ingested)
        if result.run_requests:
            daemon.launch(result, SUCCEEDED if succeeds else FAILED)
            ingested = state if succeeds else ingested
