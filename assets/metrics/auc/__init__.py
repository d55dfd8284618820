"""The metric `auc`; the class stands in `auc.py`, where `evaluate.load` looks for it."""
