"""End processes together with the process that started them."""

import ctypes
import os
import signal
import sys

import psutil


def die_with_parent(parent: int | None = None) -> int:
    """Ask Linux to kill this process when its parent ends, so that no process of a killed run writes to ``data/``.

    On other systems it only returns the parent, and an orphan finds out by :func:`is_orphan`.

    Args:
        parent: process that must still be the parent, if the caller knows it; otherwise the parent at the call. No
            number means "orphan" by itself: 1 is the legitimate parent in a container, and an orphan's new parent is
            another process where there is a subreaper (``systemd --user``, ``tini -s``).

    Returns:
        The parent.
    """
    expected = os.getppid() if parent is None else parent
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
        if os.getppid() != expected:  # the parent ended before the call
            os.kill(os.getpid(), signal.SIGKILL)
    return expected


def find_owner(parent: int) -> int:
    """The process that waits for this stage: its parent, or DVC if the parent is the shell that DVC started.

    A shell that waits for its program (``/bin/sh`` of Debian, where ``SHELL`` is not set) outlives a killed DVC.
    """
    try:
        shell = psutil.Process(parent)
        is_shell = "DVC_STAGE" in os.environ and "-c" in shell.cmdline()
        return shell.ppid() if is_shell else parent
    except psutil.NoSuchProcess:
        return parent


def is_orphan(owner: int) -> bool:
    """Whether the process that waited for this one has ended; the kernel then gives its child another parent."""
    parent = os.getppid()
    if parent == owner:
        return False
    try:
        return psutil.Process(parent).ppid() != owner
    except psutil.NoSuchProcess:
        return True
