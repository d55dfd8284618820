"""The metric `f1`; the class stands in `f1.py`, where `evaluate.load` looks for it."""
