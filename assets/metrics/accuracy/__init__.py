"""The metric `accuracy`; the class stands in `accuracy.py`, where `evaluate.load` looks for it."""
