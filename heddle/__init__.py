"""Heddle as a library."""
