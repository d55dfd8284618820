"""Section `schedules`: what starts on its own, and the refusal of wrong times."""

import json

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dagster_project.schedules import Schedules

TIMES = {"ingest": "0 2 * * *", "retrain": "0 4 * * *", "timezone": "UTC", "source_poll_seconds": 60}


def _write(project, **changes) -> None:
    params = (project.root / "params.yaml").read_text()
    kept = [line for line in params.splitlines() if not line.startswith("schedules:")]
    project.write("params.yaml", "\n".join([*kept, f"schedules: {json.dumps(TIMES | changes)}"]))


@pytest.mark.parametrize(("enabled", "expected"), [(None, "STOPPED"), (False, "STOPPED"), (True, "RUNNING")])
def test_schedules_run_on_their_own_only_if_enabled(fresh, enabled, expected):
    _write(fresh, **({} if enabled is None else {"enabled": enabled}))
    repository = fresh.definitions().get_repository_def()
    defaults = {each.name: each.default_status.value for each in (*repository.schedule_defs, *repository.sensor_defs)}
    defaults.pop("default_automation_condition_sensor")  # Dagster's own; stopped
    always = {"outside_changes": "RUNNING", "orphaned_runs": "RUNNING"}
    assert defaults == {"ingest": expected, "retrain": expected, "source_changes": expected, **always}


@pytest.mark.parametrize(
    ("key", "found", "example"),
    [
        ("ingest", "99 2 * * *", "0 2 * * *"),
        ("retrain", "every day at noon !", "0 2 * * *"),
        ("retrain", "@daily", "0 2 * * *"),
        ("ingest", "0 2 31 2 *", "0 2 * * *"),
        ("timezone", "Europe/Atlantis", "Europe/Berlin"),
        ("timezone", "Europe", "Europe/Berlin"),
        ("timezone", "../../etc/passwd", "Europe/Berlin"),
        ("timezone", "", "Europe/Berlin"),
    ],
)
def test_wrong_time_is_refused_with_key_found_and_example(fresh, key, found, example):
    _write(fresh, **{key: found})
    ended = fresh.invoke("status")
    assert ended.exit_code == 1
    assert isinstance(ended.exception, SystemExit)  # a message, not a traceback
    (line,) = ended.stderr.splitlines()
    assert f"params.yaml: schedules.{key}: found {found!r}; allowed: " in line
    assert example in line


FIELD = st.one_of(
    st.just("*"), st.integers(-1, 70).map(str), st.integers(0, 70).map("*/{}".format), st.text(max_size=3)
)


@given(st.tuples(FIELD, FIELD, FIELD, FIELD, FIELD).map(" ".join))
def test_every_accepted_cron_line_makes_a_schedule(line):
    try:
        accepted = Schedules(**TIMES | {"ingest": line}).ingest
    except ValidationError:
        return
    schedule = dg.ScheduleDefinition(name="any", job_name="any", cron_schedule=accepted, execution_timezone="UTC")
    assert schedule.cron_schedule == line
