"""``heddle ui``: `dagster dev`, which also follows edits.

Dagster fixes code versions when a code location loads, so an edit of parameters or code would go unseen until somebody
pressed "reload". This watches the files that code versions are made of and presses it.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from dagster_graphql import DagsterGraphQLClient, DagsterGraphQLClientError
from rich.console import Console
from watchfiles import watch

from dagster_project.workspace import open_instance

HOST = "127.0.0.1"
LOCATION = "heddle"
WATCHED = ("dvc.yaml", "params.yaml", "scales", "assets", "heddle", "lightning_modules", "dagster_project", "demo_shop")


def serve(root: Path, port: int, console: Console) -> int:
    """Run Dagster's UI and daemon until interrupted. Returns the exit code."""
    with open_instance(root):
        pass
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    command = [
        sys.executable,
        "-m",
        "dagster",
        "dev",
        "--host",
        HOST,
        "--port",
        str(port),
        "--workspace",
        "workspace.yaml",
    ]
    # Ended by either signal, it takes Dagster along. A shell's background job starts with SIGINT ignored, and Dagster's
    # services, which end on it, would inherit that.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    process = subprocess.Popen(command, cwd=root, env={**os.environ, "PATH": path})
    console.print(f"Dagster: http://{HOST}:{port}  (Ctrl-C ends it)")
    try:
        follow_edits(root, port, process, console)
    except KeyboardInterrupt:
        pass
    finally:
        process.terminate()
        code = process.wait()
    return 0 if code in (0, -15) else code


def follow_edits(root: Path, port: int, process: subprocess.Popen[bytes], console: Console) -> None:
    """Reload the code location after each edit, as long as the process lives."""
    client = DagsterGraphQLClient(HOST, port_number=port)
    paths = [root / name for name in WATCHED if (root / name).exists()]
    for changes in watch(*paths, rust_timeout=1000, yield_on_timeout=True):
        if process.poll() is not None:
            return
        if changes:
            try:
                client.reload_repository_location(LOCATION)
                console.print(f"Reloaded after an edit of {Path(next(iter(changes))[1]).name}")
            except DagsterGraphQLClientError as error:
                console.print(f"Not reloaded: {error}", markup=False)
