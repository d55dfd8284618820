"""The metric `ndcg`; the class stands in `ndcg.py`, where `evaluate.load` looks for it."""
