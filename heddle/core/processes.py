"""Processes that must not outlive the one that started them."""

import ctypes
import os
import signal
import sys


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent ends, so that a killed run leaves nobody writing to ``data/``.

    Does nothing elsewhere: there, an orphan finishes its stage, and the next run waits for DVC's lock.
    """
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
        if os.getppid() == 1:  # the parent ended before the request stood
            os.kill(os.getpid(), signal.SIGKILL)
