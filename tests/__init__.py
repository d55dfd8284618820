"""A package, no namespace: textstat installs a top-level ``tests`` too, and a started process would find that one."""
