"""``heddle verify`` compares file contents, independent of DVC's cache and state database."""

import os
from pathlib import Path


def _flip_one_bit(file: Path) -> None:
    """Flip one bit without changing the size or the times of the file."""
    status = file.stat()
    file.chmod(0o644)
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(bytes(content))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_verify_clean_workspace_passes_and_leaves_no_clone(toy):
    ended = toy.heddle("verify")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Verified: all 6 outputs reproduce bit for bit." in ended.stdout
    assert not list(toy.root.parent.glob(".heddle-verify-*"))  # the clone


def test_verify_modified_byte_in_output_and_cache_fails(toy):
    output = toy.root / "data/encoder/words.txt"
    text = output.read_bytes()
    cached = [
        file for file in (toy.root / ".dvc/cache/files").rglob("*") if file.is_file() and file.read_bytes() == text
    ]
    assert cached
    for file in [output, *cached]:
        _flip_one_bit(file)
    ended = toy.heddle("verify")
    assert ended.returncode == 1
    assert "data/encoder: the files in data/ differ from dvc.lock" in ended.stdout


def test_verify_wrong_hash_in_lock_fails(toy):
    state = toy.project.states()["index"]
    lock = (toy.root / "dvc.lock").read_text()
    toy.write("dvc.lock", lock.replace(state.recorded_data_version, "0" * 32 + ".dir"))
    ended = toy.heddle("verify")
    assert ended.returncode == 1
    assert "data/index: the reproduced output differs from dvc.lock" in ended.stdout
