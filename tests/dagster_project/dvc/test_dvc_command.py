"""The last good output stays until its stage replaces it, and DVC's view of it stays right."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dagster_project.dvc.mirror import mirror
from dagster_project.dvc.runner import StageFailedError, StageOutcome, reproduce

WORDS = "data/encoder/words.txt"


def _reproduce(toy, stage: str) -> StageOutcome:
    return reproduce(toy.root, stage, lambda line: None)


@contextmanager
def _reader(toy) -> Iterator[set[str]]:
    """Read the encoder's output in a loop; the versions that were seen, and nothing missing."""
    seen: set[str] = set()
    missing: list[OSError] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            try:
                seen.add((toy.root / WORDS).read_text())
            except OSError as error:
                missing.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
    assert missing == []


def test_output_is_there_while_its_stage_runs(toy):
    before = (toy.root / WORDS).read_text()
    toy.write("words/encoder.txt", "new words\n")
    with _reader(toy) as seen:
        assert _reproduce(toy, "encoder") is StageOutcome.RAN
    assert seen == {before, (toy.root / WORDS).read_text()}
    assert not toy.changed() & {"encoder"}


def test_failed_stage_keeps_its_last_output_and_stays_stale(toy):
    before = toy.hashes()["encoder"]
    toy.write("words/encoder.txt", "fail\n")
    with _reader(toy), pytest.raises(StageFailedError, match="'fail' is not a word"):
        _reproduce(toy, "encoder")
    mirror(toy.project, toy.instance)
    assert toy.hashes()["encoder"] == before
    assert toy.changed() == toy.stale() == {"encoder"}
    toy.write("words/encoder.txt", "encoder\n")
    mirror(toy.project, toy.instance)
    assert toy.changed() == toy.stale() == set()
    assert _reproduce(toy, "encoder") is StageOutcome.UNCHANGED


def test_run_cache_restores_earlier_parameters(toy):
    before = toy.hashes()["encoder"]
    for rate, outcome in (("0.01", StageOutcome.RAN), ("0.1", StageOutcome.RESTORED)):
        toy.write("scales/small.yaml", f"prepared: {{size: 1}}\nencoder: {{learning_rate: {rate}}}\n")
        assert _reproduce(toy, "encoder") is outcome
    assert toy.hashes()["encoder"] == before
    assert not toy.changed()


def test_damaged_output_is_replaced(toy):
    before = toy.hashes()["encoder"]
    toy.write(WORDS, "rust")
    (toy.root / "data/encoder/extra.txt").write_text("not of this stage")
    assert _reproduce(toy, "encoder") is StageOutcome.RESTORED
    assert toy.hashes()["encoder"] == before
    assert not (toy.root / "data/encoder/extra.txt").exists()


def test_entry_of_the_run_cache_that_a_kill_left_empty_is_none(toy):
    """DVC makes the folder of an entry, and then the entry; see StageCache.save."""
    toy.write("words/encoder.txt", "new words\n")
    _reproduce(toy, "encoder")
    entries = [file for file in (toy.root / ".dvc/cache/runs").glob("*/*/*") if "encoder" in file.read_text()]
    assert entries
    for entry in entries:
        entry.unlink()
    (toy.root / "dvc.lock").unlink()  # the kill came before the stage was recorded
    assert _reproduce(toy, "encoder") is StageOutcome.RAN


def test_output_restored_from_the_run_cache_takes_the_place_of_the_old_one_as_a_whole(toy):
    before, hashes = (toy.root / WORDS).read_text(), toy.hashes()
    toy.write("words/encoder.txt", "new words\n")
    _reproduce(toy, "encoder")
    after = (toy.root / WORDS).read_text()
    toy.write("words/encoder.txt", "encoder\n")
    folder = os.open(toy.root / "data/encoder", os.O_RDONLY)  # keeps the folder's number from being used again
    try:
        with _reader(toy) as seen:
            assert _reproduce(toy, "encoder") is StageOutcome.RESTORED
        assert not os.path.samestat(os.fstat(folder), (toy.root / "data/encoder").stat())
    finally:
        os.close(folder)
    assert seen == {before, after}
    assert toy.hashes() == hashes
    assert not toy.changed() & {"encoder"}
    assert not list((toy.root / "data").glob(".encoder.*"))
