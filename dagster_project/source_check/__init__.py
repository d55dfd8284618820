"""``heddle check-source``: read the first records of one source; nothing is written into the project."""
