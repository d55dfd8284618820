"""``heddle ingest``: crawl the sources again and show what has become stale."""

from pathlib import Path

import dagster as dg
from rich.console import Console

from dagster_project.automation import FORCED_INGEST, INGEST_JOB, INGEST_STAGE
from dagster_project.dvc.mirror import mirror
from dagster_project.dvc.project import DvcProject
from dagster_project.run import execute, main_job
from dagster_project.staleness import find_stale_assets
from dagster_project.workspace import open_instance, own_workspace


def ingest_job() -> dg.JobDefinition:
    """The ingest job of the project in the current folder. Step processes load it by the name of this function."""
    from dagster_project.definitions import defs

    return defs.resolve_job_def(INGEST_JOB)


def ingest(root: Path, console: Console) -> int:
    """Crawl the sources again, and print what `heddle run` would run next. Returns the exit code: 0, or 1 (failed)."""
    with open_instance(root) as instance, own_workspace(root, instance, console):
        project = DvcProject(root)
        mirror(project, instance)
        before = project.recorded_data_version(INGEST_STAGE)
        code = execute(project, ingest_job, instance, {INGEST_STAGE}, console, FORCED_INGEST)
        if code:
            return code
        project = DvcProject(root)
        mirror(project, instance)
        is_new = project.recorded_data_version(INGEST_STAGE) != before
        names = find_stale_assets(project, main_job().asset_layer.asset_graph, instance)
    console.print("The catalogue has changed." if is_new else "The catalogue is the same as before.")
    if names:
        listed = ", ".join(name for name in project.graph if name in names)
        console.print(f"`heddle run` would run: {listed or ', '.join(sorted(names))}", soft_wrap=True, highlight=False)
    else:
        console.print("Everything is up to date; `heddle run` would run nothing.")
    return 0
