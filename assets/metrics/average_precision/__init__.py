"""The metric `average_precision`; the class stands in `average_precision.py`, where `evaluate.load` looks for it."""
