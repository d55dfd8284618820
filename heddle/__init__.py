"""The library and the command ``heddle``."""
