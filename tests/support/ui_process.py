"""`heddle ui` as a process, and a client of its GraphQL interface."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_graphql import DagsterGraphQLClient, DagsterGraphQLClientError

PATIENCE = 240
"""Seconds after which something hangs, however busy the machine is."""


@dataclass
class UiProcess:
    """A running `heddle ui`."""

    process: subprocess.Popen
    port: int
    output: Path

    @property
    def client(self) -> DagsterGraphQLClient:
        """A client that sends the token of the environment."""
        token = os.environ.get("HEDDLE_UI_TOKEN", "")
        headers = {"Authorization": f"Bearer {token}"}
        return DagsterGraphQLClient("127.0.0.1", port_number=self.port, headers=headers)

    def launch(self, job: str) -> str:
        """Launch a run as the UI does. Returns its id."""
        return self.client.submit_job_execution(job)

    def interrupt(self) -> None:
        """Close the UI as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=PATIENCE)


@contextmanager
def running_ui(root: Path, *options: str) -> Iterator[UiProcess]:
    """Start `heddle ui`, wait until it answers, and close it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    output = root.parent / "ui.log"
    with output.open("wb") as log:
        command = [sys.executable, "-m", "heddle.cli", "ui", "--port", str(port), *options]
        process = subprocess.Popen(command, cwd=root, stdout=log, stderr=subprocess.STDOUT)
    ui = UiProcess(process, port, output)
    try:
        until(lambda: process.poll() is not None or _answers(ui))
        assert process.poll() is None, output.read_text()
        yield ui
    finally:
        if process.poll() is None:
            ui.interrupt()


def _answers(ui: UiProcess) -> bool:
    try:
        return bool(ui.client._execute("{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"))
    except (DagsterGraphQLClientError, OSError):
        return False


def until(condition: Callable[[], Any]) -> Any:
    """Wait for a true value and return it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.3)
    raise AssertionError(f"it did not come about within {PATIENCE} seconds")
