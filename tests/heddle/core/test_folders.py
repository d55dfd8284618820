"""A folder is replaced without a moment in which it is missing; what killed processes leave is deleted."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from heddle.core import folders
from heddle.core.folders import replace_folder, temporary_folder

ROOT = Path(__file__).parents[3]
HOLDER = """
import sys, time
from pathlib import Path
from heddle.core.folders import temporary_folder

with temporary_folder(Path(sys.argv[1])) as folder:
    (folder / "half.txt").write_text("half")
    print(folder, flush=True)
    time.sleep(600)
"""


def _write(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "text.txt").write_text(text)
    return folder


def _hold(target: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a process that holds a temporary folder, and return both."""
    command = [sys.executable, "-c", HOLDER, str(target)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


@pytest.mark.parametrize("exchange", [True, False])
def test_replaced_folder_has_the_new_content_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    if not exchange:
        monkeypatch.setattr(folders, "_exchange", lambda one, other: False)
    for text in ("old", "new"):
        replace_folder(_write(tmp_path / "temporary", text), tmp_path / "target")
        assert (tmp_path / "target/text.txt").read_text() == text
    assert [folder.name for folder in tmp_path.iterdir()] == ["target"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux exchanges folders in one step")
def test_readers_never_miss_a_folder_that_is_replaced(tmp_path: Path) -> None:
    target = _write(tmp_path / "target", "0")
    ended, missing, seen = threading.Event(), [], set()

    def read() -> None:
        while not ended.is_set():
            try:
                descriptor = os.open(target, os.O_RDONLY)
            except FileNotFoundError as error:
                missing.append(error)
                continue
            with suppress(FileNotFoundError):  # the opened folder is an old one that is being deleted
                file = os.open("text.txt", os.O_RDONLY, dir_fd=descriptor)
                seen.add(os.read(file, 9))
                os.close(file)
            os.close(descriptor)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(300):
        replace_folder(_write(tmp_path / "temporary", str(number)), target)
    ended.set()
    reader.join()
    assert missing == []
    assert len(seen) > 1, "the reader must have met several versions"


def test_temporary_folders_of_killed_processes_are_deleted_and_of_living_ones_kept(tmp_path: Path) -> None:
    target = tmp_path / "data/clip"
    killed, abandoned = _hold(target)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert abandoned.is_dir()
    living, kept = _hold(target)
    try:
        assert not abandoned.exists()
        with temporary_folder(target) as third:
            assert kept.is_dir()
            assert third.is_dir()
        assert not third.exists()
    finally:
        living.kill()
        living.wait()
