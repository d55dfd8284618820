"""The metric `expected_calibration_error`; the class stands in the file of that name, as `evaluate.load` wants it."""
