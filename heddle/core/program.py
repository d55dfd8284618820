"""Start a stage as a program: prepare the process first, import the stage's code second.

The preparation has to come before torch and Arrow are imported, so this module imports neither.
"""

import gc
import importlib
import os
import time


def prepare_process() -> None:
    """Set what torch and Arrow read from the environment when they are loaded. Values that are set already stay."""
    # OpenMP threads that spin while they wait starve as soon as another program needs a core: on two busy cores a
    # training step took five to ten times as long. Sleeping threads lose nothing measurable.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # Arrow's own allocator keeps freed memory: a table that was read and dropped still took three times its size.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def run_stage(name: str, module: str) -> None:
    """Run the stage ``name``, whose function of that name is in ``module``. Exits with 1 and a message on bad input.

    Args:
        name: of the stage in ``dvc.yaml``.
        module: imported here, after the process is prepared: ``assets.clip.train.stage``.
    """
    started = time.time()  # a source file that is younger was edited while the stage started
    prepare_process()
    # The imports create half a million objects that stay. Without garbage collection they take a third less time.
    gc.disable()
    function = getattr(importlib.import_module(module), name)
    stage = importlib.import_module("heddle.core.stage")
    gc.freeze()  # imported objects stay: later collections skip them
    gc.enable()
    stage.run_program(function, started)
