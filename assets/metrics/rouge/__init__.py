"""The metric `rouge`; the class stands in `rouge.py`, where `evaluate.load` looks for it."""
