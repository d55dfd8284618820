"""One module (or package) for each asset: what it computes. None imports dagster."""

import gc
import os
import sys
import time

# Python runs this file before it reads any stage's: a source file that is younger was edited while the stage started.
STARTED = time.time()

# Threads that wait for each other by spinning starve as soon as another program wants a core: on two busy cores a
# training step took five to ten times as long. Asleep they lose nothing measurable. OpenMP reads this once, when torch
# loads it; a stage may import torch by way of its metrics, so it must be said before any other import.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Arrow's own allocator keeps what was freed: a table that was read and left took three times its size.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

# A stage's imports make half a million objects that stay; looking for garbage among them took as long as a third of all
# imports. :func:`assets.stage.main` goes on collecting.
if sys.argv[0] == "-m":  # so while `python -m assets.<stage>` is looking for the stage
    gc.disable()
