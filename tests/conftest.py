"""Settings of every test process and of the processes that it starts; markers by folder."""

import gc
import os
from pathlib import Path

import gto  # noqa: F401  imported before rouge-score: gto closes all log handlers, and absl's is standard error
import pytest
from hypothesis import settings

# Both are read when torch and huggingface_hub are imported, which happens after this file is loaded.
os.environ["HF_HUB_OFFLINE"] = "1"  # a model that is not on disk fails at once, without a request to the hub
os.environ["OMP_WAIT_POLICY"] = "passive"  # threads that spin while they wait slow the other test processes down

pytest_plugins = ["tests.support.fixtures"]

settings.register_profile("heddle", deadline=None)  # the time of an example depends on the load of the machine
settings.load_profile("heddle")

FOLDER_MARKERS = {"e2e": "e2e", "e2e/wordpress": "wordpress"}
"""Folder of tests -> the marker of every test in it."""


def pytest_collection() -> None:
    """Let the imports of collection, a million objects that live to the end, pass without the garbage collector."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage again, among what the tests make alone."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests by their folder."""
    for item in items:
        folder = item.path.parent.relative_to(Path(__file__).parent)
        for marked, marker in FOLDER_MARKERS.items():
            if folder.is_relative_to(marked):
                item.add_marker(marker)
