"""A full disk of DVC's cache is a failure that names the disk, and the next run repairs what is missing."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

BYTES = 200_000


@pytest.fixture
def disk(toy) -> Iterator[Path]:
    """The disk of the cache: too small for what the stage ``prepared`` writes."""
    toy.write("words/prepared.txt", "word " * (BYTES // 5))
    disk = toy.limit_cache(kilobytes=100)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_output_that_is_not_cached_fails_with_the_disk_and_next_run_repairs(toy, disk):
    failed = toy.materialize("prepared")
    assert not failed.success
    (event,) = [event for event in failed.all_events if event.event_type is dg.DagsterEventType.STEP_FAILURE]
    assert f"not in the cache {disk}/files/md5, whose disk has" in event.event_specific_data.error_display_string
    assert toy.changed() >= {"prepared"}
    subprocess.run(["mount", "-o", "remount,size=10m", str(disk)], check=True)
    assert toy.materialize("prepared").success
    assert "prepared" not in toy.changed()
