"""The metric `precision`; the class stands in `precision.py`, where `evaluate.load` looks for it."""
