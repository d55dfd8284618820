"""The metric `distinct`; the class stands in `distinct.py`, where `evaluate.load` looks for it."""
