"""Start a stage as a program: prepare the process, then import the stage's code.

The process must be prepared before torch and Arrow are imported, so this module imports neither.
"""

import gc
import importlib
import os
import time

from heddle.core.processes import die_with_parent, find_owner


def prepare_process() -> None:
    """Set environment variables that torch and Arrow read at import. Existing values stay."""
    # By default, OpenMP threads spin while they wait. If another program needs a core, they slow each other down: on
    # two busy cores a training step took five to ten times as long. Sleeping threads cost nothing measurable.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # Arrow's own allocator keeps freed memory: a table that was read and released still took three times its size.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def run_stage(name: str, module: str) -> None:
    """Run the stage ``name``, a function of the same name in ``module``. Exit with 1 and a message on invalid input.

    Args:
        name: name of the stage in ``dvc.yaml``.
        module: module to import after the process is prepared: ``assets.clip.train.stage``.
    """
    owner = find_owner(die_with_parent())  # first, because the imports take seconds, in which the owner may end
    started = time.time()  # a source file with a later modification time was edited during the start
    prepare_process()
    # The imports create half a million permanent objects. Without garbage collection they take a third less time.
    gc.disable()
    function = getattr(importlib.import_module(module), name)
    stage = importlib.import_module("heddle.core.stage")
    gc.freeze()  # later collections skip the imported objects
    gc.enable()
    stage.run_program(function, started, owner)
