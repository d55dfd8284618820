"""The networks and how they learn: everything that imports torch."""

import os

# Threads that wait for each other by spinning starve as soon as another program wants a core: on two busy cores a
# training step took five to ten times as long. Asleep they lose nothing measurable. OpenMP reads this once, when torch
# loads it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
