"""The reason of a failed stage: what it printed, and the signal that ended it."""

import pytest

from dagster_project.dvc.runner import _reason

START = ["Running stage 'clip':", "> python -m assets.clip.train"]


def _end(code: int) -> str:
    return f"ERROR: failed to reproduce 'clip': failed to run: python -m assets.clip.train, exited with {code}"


@pytest.mark.parametrize(("code", "name"), [(-9, "SIGKILL"), (137, "SIGKILL"), (-15, "SIGTERM"), (139, "SIGSEGV")])
def test_signal_is_named_whether_it_ended_the_shell_or_its_program(code: int, name: str) -> None:
    first, last = _reason([*START, "[clip] at work", _end(code)]).splitlines()
    assert first == "[clip] at work"
    assert last.startswith(f"{name} ended the stage")
    assert ("memory" in last) == (name == "SIGKILL")


@pytest.mark.parametrize("code", [1, 2, 120, 255])
def test_exit_code_is_no_signal(code: int) -> None:
    assert _reason([*START, "clip: listings.parquet is damaged", _end(code)]) == "clip: listings.parquet is damaged"


def test_words_of_a_stage_are_no_signal() -> None:
    assert _reason([*START, "my child exited with -9", _end(1)]) == "my child exited with -9"
