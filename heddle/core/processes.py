"""End processes together with the process that started them."""

import ctypes
import os
import signal
import sys


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
        if is_orphan(expected):  # the parent ended before the call
            os.kill(os.getpid(), signal.SIGKILL)
    return expected


def is_orphan(parent: int) -> bool:
    """Whether the process that started this one has ended; the kernel then gives it another parent."""
    return os.getppid() != parent
