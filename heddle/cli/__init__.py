"""The command ``heddle``."""

from heddle.cli.commands import main

__all__ = ["main"]
