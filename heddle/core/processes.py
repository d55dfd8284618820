"""End processes together with the process that started them."""

import ctypes
import os
import signal
import sys


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent ends, so that no process of a killed run writes to ``data/``.

    On other systems it does nothing: an orphan finishes its stage, and the next run waits for DVC's lock.
    """
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
        if os.getppid() == 1:  # the parent ended before the call
            os.kill(os.getpid(), signal.SIGKILL)
