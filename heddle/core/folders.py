"""Replace folders so that a reader sees the old or the new one at any time, and never neither."""

import ctypes
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

AT_FDCWD = -100
RENAME_EXCHANGE = 2


@contextmanager
def temporary_folder(target: Path) -> Iterator[Path]:
    """Make a hidden folder beside ``target``, first deleting those of killed processes, and delete it in the end.

    A lock on the folder says that its process lives: process numbers are used again, in containers even the same ones.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = _hidden(target)
    with ExitStack() as stack:
        with _locked(target.parent):  # so that nobody sees the new folder before it is locked
            _remove_abandoned(target)
            folder.mkdir()
            stack.enter_context(_locked(folder))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder


def _remove_abandoned(target: Path) -> None:
    for folder in target.parent.glob(f".{target.name}.*"):
        with suppress(BlockingIOError), _locked(folder, fcntl.LOCK_NB):  # BlockingIOError: its process lives
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path, flags: int = 0) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | flags)
        yield
    finally:
        os.close(descriptor)


def _hidden(target: Path) -> Path:
    return target.parent / f".{target.name}.{uuid4().hex[:12]}"


def replace_folder(new: Path, target: Path) -> None:
    """Move the folder ``new`` to ``target`` on the same disk. The old folder is deleted afterwards.

    On Linux both are exchanged in one step. Elsewhere there is a moment between two renames without ``target``.
    """
    if not target.exists():
        new.rename(target)
        return
    if not _exchange(new, target):
        aside = _hidden(target)
        target.rename(aside)
        new.rename(target)
        new = aside
    shutil.rmtree(new, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False if the system or the disk cannot."""
    if sys.platform != "linux":
        return False
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    return rename is not None and not rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE)
