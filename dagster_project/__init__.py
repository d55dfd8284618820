"""Orchestration: the only package that imports dagster."""
