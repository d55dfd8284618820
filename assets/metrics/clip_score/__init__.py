"""The metric `clip_score`; the class stands in `clip_score.py`, where `evaluate.load` looks for it."""
