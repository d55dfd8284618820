"""The command ``heddle``."""

from heddle.cli.main import main

__all__ = ["main"]
