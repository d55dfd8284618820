"""The metric `recall`; the class stands in `recall.py`, where `evaluate.load` looks for it."""
