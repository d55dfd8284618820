"""Dagster's web server behind the guard: ``python -m dagster_project.webserver``, a process of ``heddle ui``.

The guard is in the same process. As a proxy in front of ``dagster dev``, it would leave Dagster's own port open.
"""

import argparse
import os

import dagster as dg
import uvicorn
from dagster_webserver.app import create_app_from_workspace_process_context

from dagster_project.dagster_internals import WorkspaceFileTarget, WorkspaceProcessContext
from dagster_project.request_guard import RequestGuard

HOST = "127.0.0.1"
TOKEN_VARIABLE = "HEDDLE_UI_TOKEN"  # noqa: S105 - a variable's name
POLL_MILLISECONDS = 2000
"""Interval at which the pages ask for new events, as in `dagster dev`."""
SHUTDOWN_SECONDS = 5
"""Time for open pages to close their WebSockets."""


def main() -> None:
    """Serve the workspace until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workspace", required=True, help="workspace file with the code server's address")
    parser.add_argument("--allow-host", action="append", default=[])
    options = parser.parse_args()
    with (
        dg.DagsterInstance.get() as instance,
        WorkspaceProcessContext(instance, WorkspaceFileTarget([options.workspace]), version=dg.__version__) as context,
    ):
        app = create_app_from_workspace_process_context(context, live_data_poll_rate=POLL_MILLISECONDS)
        guard = RequestGuard(app, options.allow_host, os.environ.get(TOKEN_VARIABLE) or None)
        uvicorn.run(
            guard, host=HOST, port=options.port, log_level="warning", timeout_graceful_shutdown=SHUTDOWN_SECONDS
        )


if __name__ == "__main__":
    main()
