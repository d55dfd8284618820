"""``heddle verify`` believes bytes, neither DVC's memory nor its cache."""

import os
from pathlib import Path


def _alter_one_byte(file: Path) -> None:
    """Flip a bit where it is least likely to be seen: same size, same times."""
    status = file.stat()
    file.chmod(0o644)
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(bytes(content))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_clean_state_verifies(toy):
    ended = toy.heddle("verify")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "All 6 outputs" in ended.stdout


def test_one_altered_byte_is_named_even_if_the_cache_agrees(toy):
    output = toy.root / "data/encoder/words.txt"
    text = output.read_bytes()
    cached = [
        file for file in (toy.root / ".dvc/cache/files").rglob("*") if file.is_file() and file.read_bytes() == text
    ]
    assert cached
    for file in [output, *cached]:
        _alter_one_byte(file)
    ended = toy.heddle("verify")
    assert ended.returncode == 1
    assert "data/encoder: the files here are not what dvc.lock says" in ended.stdout


def test_a_lock_that_does_not_follow_from_its_inputs_is_named(toy):
    state = toy.project.states()["index"]
    lock = (toy.root / "dvc.lock").read_text()
    toy.write("dvc.lock", lock.replace(state.recorded_data_version, "0" * 32 + ".dir"))
    ended = toy.heddle("verify")
    assert ended.returncode == 1
    assert "data/index: reproducing it gives other bytes than dvc.lock says" in ended.stdout


def test_nothing_of_the_clone_remains(toy):
    toy.heddle("verify")
    assert not list(toy.root.parent.glob(".heddle-verify-*"))
