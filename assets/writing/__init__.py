"""Content that one can publish: its form, what it states and how good it is."""
