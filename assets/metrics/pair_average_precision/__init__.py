"""The metric `pair_average_precision`; the class stands in a file of its name, where `evaluate.load` looks for it."""
