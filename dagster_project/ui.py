"""``heddle ui``: `dagster dev`, plus automatic reload after edits.

Dagster computes code versions when it loads a code location, so an edit of parameters or code shows only after a
reload. This module watches the files that code versions depend on and triggers the reload.
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
    """Run the Dagster UI and daemon until interrupted. Returns the exit code."""
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
    # Both signals also end Dagster. A shell starts background jobs with SIGINT ignored, and the Dagster services, which
    # end on SIGINT, would inherit that.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    process = subprocess.Popen(command, cwd=root, env={**os.environ, "PATH": path})
    console.print(f"Dagster: http://{HOST}:{port}  (stop with Ctrl-C)")
    try:
        follow_edits(root, port, process, console)
    except KeyboardInterrupt:
        pass
    finally:
        process.terminate()
        code = process.wait()
    return 0 if code in (0, -15) else code


def follow_edits(root: Path, port: int, process: subprocess.Popen[bytes], console: Console) -> None:
    """Reload the code location after each edit, until the process ends."""
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
                console.print(f"Reload failed: {error}", markup=False)
