"""``heddle run``: run the main job and show its progress."""

import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from rich.console import Console
from rich.live import Live
from rich.text import Text

from dagster_project import registry
from dagster_project.automation import MAIN_JOB
from dagster_project.checks import verdicts
from dagster_project.crawl_ages import print_crawl_ages
from dagster_project.dagster_internals import execute_run
from dagster_project.dvc.mirror import mirror
from dagster_project.dvc.project import DvcProject
from dagster_project.losses import print_losses
from dagster_project.progress import RunProgress, print_errors
from dagster_project.run_owner import owner_tags
from dagster_project.staleness import find_stale_assets
from dagster_project.workspace import open_instance, own_workspace
from heddle.core.terminal import untrusted

SUCCESS, STAGE_FAILED, GATE_FAILED = 0, 1, 2
POLL_SECONDS = 0.5
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

TRY_NEXT = """
Try next:
  heddle search "a red wooden chair"   search listings by text or image
  heddle describe chair.jpg            write content for your own image, as JSON
  heddle ui                            lineage, schedules and checks in Dagster
  dvc exp show                         all retrainings with parameters and metrics"""


def main_job() -> dg.JobDefinition:
    """The main job of the project in the current folder. Step processes load it by the name of this function."""
    from dagster_project.definitions import defs

    return defs.resolve_job_def(MAIN_JOB)


def run(root: Path, console: Console) -> int:
    """Run all stale assets. Returns the exit code: 0, 1 (a stage failed) or 2 (a gate failed)."""
    with open_instance(root) as instance, own_workspace(root, instance, console):
        project = DvcProject(root)
        job = main_job()
        mirror(project, instance)
        names = find_stale_assets(project, job.asset_layer.asset_graph, instance)
        if names:
            code = execute(project, main_job, instance, names, console)
            mirror(project, instance)
        else:
            console.print("Everything is up to date.")
            code = SUCCESS
    return code or _print_summary(root, console)


def execute(
    project: DvcProject,
    load_job: Callable[[], dg.JobDefinition],
    instance: dg.DagsterInstance,
    names: set[str],
    console: Console,
    config: Mapping[str, Any] | None = None,
) -> int:
    """Run assets of a job and show the progress. Returns the exit code: 0, or 1 (a stage failed).

    Args:
        load_job: function of a module; step processes load the job by its name.
        names: assets to run.
        config: run configuration of the assets.
    """
    job = load_job()
    order = [
        key.to_user_string() for level in job.asset_layer.asset_graph.toposorted_asset_keys_by_level for key in level
    ]
    progress = RunProgress([name for name in order if name in names], project.graph)
    dagster_run = instance.create_run_for_job(
        job_def=job.get_subset(asset_selection=frozenset(dg.AssetKey(name) for name in names)),
        run_id=str(uuid.uuid4()),
        run_config={**QUIET, **(config or {})},
        tags=owner_tags(),
        asset_selection=frozenset(dg.AssetKey(name) for name in names),
    )
    with RunWatcher(instance, dagster_run.run_id, progress, console):
        result = execute_run(dg.reconstructable(load_job), dagster_run, instance)
    print_errors(console, progress.errors)
    if not result.success and not progress.errors:
        console.print(untrusted(f"The run failed: {progress.run_error}"), soft_wrap=True)
        console.print(f"Its events are in `heddle ui`, run {dagster_run.run_id[:8]}.")
    return SUCCESS if result.success else STAGE_FAILED


class RunWatcher:
    """Print the events of a run from a thread while the main thread executes the run."""

    def __init__(self, instance: dg.DagsterInstance, run_id: str, progress: RunProgress, console: Console) -> None:
        self._instance, self._run_id, self._progress, self._console = instance, run_id, progress, console
        self._ended = threading.Event()
        self._live = Live(get_renderable=progress.table, console=console, refresh_per_second=4)
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> None:
        if self._console.is_terminal:
            self._live.start()
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        self._progress.close()
        if self._console.is_terminal:
            self._live.stop()
        else:
            self._console.print(self._progress.table(expand=False))

    def _follow(self) -> None:
        cursor = None
        while True:
            is_last_poll = self._ended.wait(POLL_SECONDS)
            page = self._instance.get_records_for_run(self._run_id, cursor)
            for record in page.records:
                line = self._progress.feed(record.event_log_entry)
                if line and not self._console.is_terminal:
                    self._console.print(untrusted(line), soft_wrap=True)
            cursor = page.cursor
            if is_last_poll and not page.has_more:
                return


def _print_summary(root: Path, console: Console) -> int:
    """Print the report, the registered versions, the failed gates and next commands. Returns the exit code."""
    console.print()
    print_crawl_ages(root, console)
    print_losses(root, console)
    console.print(f"Report      {root / 'data/report/index.html'}", soft_wrap=True)
    for version in registry.versions(root):
        if version.stages:
            console.print(f"Registered  {version.tag} ({', '.join(version.stages)})")
    failed = [verdict for verdict in verdicts(root) if not verdict.passed]
    for verdict in failed:
        words = untrusted(f"  {verdict.model}: {verdict.description}")
        console.print(Text.assemble(("Not registered", "bold red"), words), soft_wrap=True)
    console.print(TRY_NEXT, highlight=False, soft_wrap=True)
    return GATE_FAILED if failed else SUCCESS
