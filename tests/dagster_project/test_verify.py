"""``heddle verify`` compares file contents, independent of DVC's cache and state database."""

import os
from pathlib import Path

from dagster_project.verify import copy_sources


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


def test_copy_sources_gives_the_clone_files_and_links(tmp_path):
    root, clone, elsewhere = tmp_path / "project", tmp_path / "clone", tmp_path / "exports"
    for folder in (root / "sources/shop", clone / "sources", elsewhere):
        folder.mkdir(parents=True)
    (root / "sources/README.md").write_text("edited\n")
    (clone / "sources/README.md").write_text("as committed\n")
    (root / "sources/shop/listings.csv").write_text("id\n1\n")
    (elsewhere / "listings.csv").write_text("id\n2\n")
    (root / "sources/exports").symlink_to(elsewhere)
    (root / "sources/relative").symlink_to("../../exports")
    copy_sources(root, clone)
    assert (clone / "sources/README.md").read_text() == "as committed\n"
    assert (clone / "sources/shop/listings.csv").read_text() == "id\n1\n"
    assert not (clone / "sources/shop").is_symlink()  # DVC does not follow links to folders
    for link in ("exports", "relative"):
        assert (clone / "sources" / link).is_symlink()
        assert (clone / "sources" / link / "listings.csv").read_text() == "id\n2\n"


def test_copy_sources_of_a_project_without_sources_does_nothing(tmp_path):
    copy_sources(tmp_path / "project", tmp_path / "clone")
    assert not (tmp_path / "clone").exists()
