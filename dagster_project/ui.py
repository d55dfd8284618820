"""``heddle ui``: the Dagster UI and daemon, plus automatic reload after edits.

Dagster computes code versions when it loads a code location, so an edit of parameters or code shows only after a
reload. This module watches the files that code versions depend on and triggers the reload.
"""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
from dagster_graphql import DagsterGraphQLClient, DagsterGraphQLClientError
from rich.console import Console
from watchfiles import watch

from dagster_project.schedules import Schedules
from dagster_project.ui_services import LOCATION, UiServices
from dagster_project.webserver import HOST, TOKEN_VARIABLE
from dagster_project.workspace import end_orphaned_runs, open_instance
from heddle.core.parameters.section import load

WATCHED = ("dvc.yaml", "params.yaml", "scales", "assets", "heddle", "lightning_modules", "dagster_project", "demo_shop")
AUTOMATIONS = {"ingest": "schedule", "retrain": "schedule", "source_changes": "sensor"}
"""Name -> kind of what section `schedules` starts."""


def serve(root: Path, port: int, console: Console, allowed_hosts: Sequence[str] = ()) -> int:
    """Run the Dagster UI and daemon until interrupted. Returns the exit code.

    Raises:
        UiError: a process of the UI ended.
    """
    with open_instance(root) as instance:
        end_orphaned_runs(root, instance, console)
        automations = describe_automations(load("schedules", Schedules, root), instance)
    # Both signals also end Dagster. A shell starts background jobs with SIGINT ignored, and the Dagster services, which
    # end on SIGINT, would inherit that.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    services = UiServices(root)
    try:
        services.start(port, allowed_hosts)
        console.print(f"Dagster: http://{HOST}:{port}  (stop with Ctrl-C)")
        if os.environ.get(TOKEN_VARIABLE):
            console.print(f"The browser asks for a password: the value of {TOKEN_VARIABLE}, with any user name.")
        console.print(automations, soft_wrap=True)
        follow_edits(root, port, services, console)
    except KeyboardInterrupt:
        pass
    finally:
        services.stop()
    return 0


def describe_automations(times: Schedules, instance: dg.DagsterInstance) -> str:
    """One line: which schedules and sensors are on. A start or stop in the UI precedes the parameters."""
    chosen = {state.instigator_name: state.status.value for state in instance.all_instigator_state()}
    default = "RUNNING" if times.enabled else "STOPPED"
    on: list[str] = []
    off: list[str] = []
    for name, kind in AUTOMATIONS.items():
        status = chosen.get(name, default)
        is_on = (default if status == "DECLARED_IN_CODE" else status) == "RUNNING"
        (on if is_on else off).append(f"{kind} {name}")
    remedy = "; start them in the UI or with `schedules: {enabled: true}` in params.yaml" if off else ""
    return f"On: {', '.join(on) or 'none'}. Off: {', '.join(off) or 'none'}{remedy}."


def follow_edits(root: Path, port: int, services: UiServices, console: Console) -> None:
    """Reload the code location after each edit, until a process of the UI ends."""
    token = os.environ.get(TOKEN_VARIABLE)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    client = DagsterGraphQLClient(HOST, port_number=port, headers=headers)
    paths = [root / name for name in WATCHED if (root / name).exists()]
    for changes in watch(*paths, rust_timeout=1000, yield_on_timeout=True):
        services.check()
        if changes:
            try:
                client.reload_repository_location(LOCATION)
                console.print(f"Reloaded after an edit of {Path(next(iter(changes))[1]).name}", markup=False)
            except DagsterGraphQLClientError as error:
                console.print(f"Reload failed: {error}", markup=False)
