"""An output that does not fit on the disk of DVC's cache is refused before DVC records it."""

import hashlib
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from heddle.core.cache_disk import CacheDiskError, check_cache_disk

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two files of 1,000 bytes, in a project whose cache has 1,500 bytes left."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("")
    (tmp_path / "output").mkdir()
    for name in "ab":
        (tmp_path / "output" / name).write_text(name * 1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(9_000, 7_500, 1_500))
    return tmp_path / "output"


def test_output_that_does_not_fit_names_disk_and_bytes(output: Path) -> None:
    with pytest.raises(CacheDiskError, match=r"\.dvc/cache: the output needs 2,000 bytes .* has 1,500 free"):
        check_cache_disk(output)


def test_cached_files_need_no_room(output: Path) -> None:
    md5 = hashlib.md5(b"a" * 1_000).hexdigest()
    cached = Path(".dvc/cache/files/md5", md5[:2], md5[2:])
    cached.parent.mkdir(parents=True)
    cached.touch()
    check_cache_disk(output)


def test_configured_cache_is_named(output: Path, tmp_path: Path) -> None:
    (tmp_path / ".dvc/config").write_text(f"[cache]\n    dir = {tmp_path / 'elsewhere/cache'}\n")
    with pytest.raises(CacheDiskError, match=r"elsewhere/cache: the output needs"):
        check_cache_disk(output)


def test_project_without_dvc_is_not_checked(output: Path) -> None:
    shutil.rmtree(".dvc")
    check_cache_disk(output)
