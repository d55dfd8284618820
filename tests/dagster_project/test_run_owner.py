"""The owner of a run: alive, ended, or another process with the same id."""

import subprocess
import sys
import time

import dagster as dg
import psutil
from dagster._core.events import EngineEventData
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.run_owner import CLOCK_CORRECTION, RunOwner, find_owner, owner_tags


def test_owner_tags_identify_this_process():
    with dg.instance_for_test() as instance:
        owner = find_owner(instance, instance.create_run_for_job(_nothing, tags=dict(owner_tags())))
    assert owner == RunOwner(psutil.Process().pid, psutil.Process().create_time())
    assert owner.is_alive()


def test_owner_killed_process_is_not_alive():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    handle = psutil.Process(process.pid)
    owner = RunOwner(process.pid, handle.create_time())
    assert owner.is_alive()
    process.kill()
    while handle.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert not owner.is_alive()  # before its parent waits for it
    process.wait()
    assert not owner.is_alive()


@given(st.floats(min_value=CLOCK_CORRECTION + 1, max_value=1e9))
def test_owner_with_reused_process_id_is_not_alive(seconds):
    process = psutil.Process()
    assert not RunOwner(process.pid, process.create_time() - seconds).is_alive()


def test_find_owner_reads_the_first_process_that_dagster_reports():
    with dg.instance_for_test() as instance:
        run = instance.create_run_for_job(_nothing)
        instance.report_engine_event("queued", run)
        assert find_owner(instance, run) is None
        for pid in (41, 42):
            instance.report_engine_event("started", run, EngineEventData.in_process(pid))
        owner = find_owner(instance, run)
    assert owner is not None
    assert owner.pid == 41


@dg.job
def _nothing():
    pass
