"""The owner of a run: alive, ended, or another process with the same id."""

import subprocess
import sys
import time

import dagster as dg
import psutil
import pytest
from dagster._core.events import EngineEventData
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.run_owner import CLOCK_CORRECTION, RunOwner, exact_start, find_owner, owner_tags

NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc"]
OWNER = """
import sys
from dagster_project.run_owner import PID_TAG, STARTED_TAG, RunOwner, owner_tags
tags = owner_tags()
earlier = RunOwner(int(sys.argv[1]), sys.argv[2]).is_alive() if sys.argv[1:] else None
print(tags[PID_TAG], RunOwner(int(tags[PID_TAG]), tags[STARTED_TAG]).is_alive(), earlier, tags[STARTED_TAG])
"""
"""Prints its id, whether it is alive, whether the process in its arguments is, and its start."""


def test_owner_tags_identify_this_process():
    with dg.instance_for_test() as instance:
        owner = find_owner(instance, instance.create_run_for_job(_nothing, tags=dict(owner_tags())))
    assert owner == RunOwner(psutil.Process().pid, exact_start(psutil.Process()))
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


@pytest.mark.skipif(subprocess.call([*NAMESPACE, "true"], stderr=subprocess.DEVNULL) != 0, reason="needs namespaces")
def test_owner_in_a_container_is_not_the_process_1_of_the_next_container():
    first, second = [], []
    for printed in (first, second):
        command = [*NAMESPACE, sys.executable, "-c", OWNER, *([first[0], first[3]] if first else [])]
        printed += subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().split(" ", 3)
    assert first[:3] == ["1", "True", "None"]
    assert second[:3] == ["1", "True", "False"]


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
