"""A killed run blocks neither the queue of the UI nor `heddle run`."""

import re
import subprocess
import sys

import dagster as dg
import psutil
import pytest
from dagster._core.events import EngineEventData

from dagster_project.orphaned_runs import KILLED, NO_DAEMON, find_daemon
from dagster_project.run_owner import owner_tags
from tests.support.ui_process import running_ui, until

STARTED, UNCLAIMED = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.NOT_STARTED


@pytest.fixture
def ended_pid() -> int:
    """Id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def _run(toy, status, *, pid: int | None = None, tags: dict[str, str] | None = None) -> str:
    """A run as Dagster's storage has it; ``pid`` as the worker process of a UI run reports it."""
    job = toy.definitions().resolve_job_def("ingest")
    run = toy.instance.create_run_for_job(job, status=status, tags=tags or {})
    if pid is not None:
        toy.instance.report_engine_event("started", run, EngineEventData.in_process(pid))
    return run.run_id


def _status(toy, run_id: str) -> str:
    return toy.instance.get_run_by_id(run_id).status.value


def _reason(toy, run_id: str) -> str:
    return " ".join(entry.message for entry in toy.instance.all_logs(run_id))


def _poll(toy) -> str:
    with dg.build_sensor_context(instance=toy.instance) as context:
        return toy.definitions().resolve_sensor_def("orphaned_runs").evaluate_tick(context).skip_message


def test_sensor_fails_runs_of_ended_processes_only(toy, ended_pid):
    dead = {"heddle/owner_pid": str(ended_pid), "heddle/owner_started": "0"}
    ended = [_run(toy, STARTED, tags=dead), _run(toy, STARTED, pid=ended_pid)]
    alive = [_run(toy, STARTED, tags=dict(owner_tags())), _run(toy, STARTED, pid=psutil.Process().pid)]
    queued = _run(toy, UNCLAIMED)
    message = _poll(toy)
    assert [_status(toy, run) for run in ended] == ["FAILURE", "FAILURE"]
    assert [_status(toy, run) for run in [*alive, queued]] == ["STARTED", "STARTED", "NOT_STARTED"]
    assert all(run[:8] in message for run in ended)
    assert KILLED in _reason(toy, ended[0])
    assert _poll(toy) == "No process of a run was killed."


def test_sensor_frees_the_pool_slots_of_a_killed_run(toy, ended_pid):
    storage = toy.instance.event_log_storage
    storage.set_concurrency_slots("cpu", 1)
    run = _run(toy, STARTED, pid=ended_pid)
    assert storage.claim_concurrency_slot("cpu", run, "step").is_claimed
    _poll(toy)
    assert storage.claim_concurrency_slot("cpu", "another", "step").is_claimed


def test_run_without_daemon_cancels_queued_runs_and_prints_it(toy):
    queued = _run(toy, UNCLAIMED)
    ended = toy.heddle("run")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"Run {queued[:8]} is canceled: it was queued, and no Dagster daemon is running." in ended.stdout
    assert _status(toy, queued) == "CANCELED"
    assert NO_DAEMON in _reason(toy, queued)


def test_run_beside_a_living_run_of_the_ui_is_refused_with_remedy(toy):
    run = _run(toy, STARTED, pid=psutil.Process().pid)
    ended = toy.heddle("run")
    assert ended.returncode == 1
    pid = psutil.Process().pid
    assert f"run {run[:8]} was started from the Dagster UI" in ended.stderr
    assert f"(process {pid}); wait for it, terminate it in the UI, or end the process with `kill {pid}`" in ended.stderr
    assert _status(toy, run) == "STARTED"


def test_daemon_of_another_project_is_not_this_ones(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "other"))
    with subprocess.Popen([sys.executable, "-c", "input()", "dagster-daemon"], stdin=subprocess.PIPE) as process:
        assert find_daemon(toy.root) is None
        assert find_daemon(tmp_path / "other") == process.pid
        process.kill()


@pytest.mark.slow
def test_killed_run_beside_the_ui_lets_queued_and_later_runs_complete(toy):
    toy.write("slow-catalog", "the stage waits for this file to go")
    toy.write("words/catalog.txt", "other words\n")
    with running_ui(toy.root) as ui:
        command = [sys.executable, "-m", "heddle.cli", "run"]
        run = subprocess.Popen(command, cwd=toy.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        started = until(lambda: toy.instance.get_runs(dg.RunsFilter(statuses=[STARTED])))[0].run_id
        assert find_daemon(toy.root) is not None
        run.kill()
        run.wait()
        launched = ui.launch("ingest")
        until(lambda: _status(toy, started) == "FAILURE")
        until(lambda: _status(toy, launched) == "STARTED")
        refused = until(lambda: _refusal(toy, launched))
        pid = int(re.search(r"kill (\d+)", refused).group(1))

        psutil.Process(pid).kill()  # the process of the run that the UI launched
        until(lambda: _status(toy, launched) == "FAILURE")
        (toy.root / "slow-catalog").unlink()
        last = ui.launch("ingest")
        until(lambda: _status(toy, last) == "SUCCESS")
        ended = toy.heddle("run")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        toy.write("slow-catalog", "the stage waits for this file to go")
        blocking = ui.launch("ingest")
        until(lambda: _status(toy, blocking) == "STARTED")
        queued = ui.launch("ingest")
        until(lambda: _status(toy, queued) == "QUEUED")
    assert find_daemon(toy.root) is None
    (toy.root / "slow-catalog").unlink()
    until(lambda: toy.instance.get_run_by_id(blocking).is_finished)
    ended = toy.heddle("run")  # directly after the UI was closed
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"Run {queued[:8]} is canceled" in ended.stdout
    assert not toy.changed()


def _refusal(toy, launched: str) -> str | None:
    ended = toy.heddle("run")
    return ended.stderr if ended.returncode == 1 and launched[:8] in ended.stderr and "kill" in ended.stderr else None
