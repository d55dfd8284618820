"""The metric `reciprocal_rank`; the class stands in `reciprocal_rank.py`, where `evaluate.load` looks for it."""
