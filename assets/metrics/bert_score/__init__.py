"""The metric `bert_score`; the class stands in `bert_score.py`, where `evaluate.load` looks for it."""
