"""Commands that use Dagster, DVC and the registry. ``heddle`` loads them through entry points."""

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

console = Console()


@click.command()
def run() -> None:
    """Run all stale stages: crawl, train, evaluate, index, register.

    Exit code 0: success. 1: a stage failed. 2: a model failed a gate and was not registered.
    """
    from dagster_project.run import run as run_main_job

    sys.exit(run_main_job(Path.cwd(), console))


@click.command()
def ingest() -> None:
    """Crawl the sources again, though no parameter or file has changed, and show what `heddle run` would run next.

    Exit code 0: success. 1: a source could not be read.
    """
    from dagster_project.ingest import ingest as run_ingest_job

    sys.exit(run_ingest_job(Path.cwd(), console))


@click.command()
@click.option("--keep", is_flag=True, help="Keep the temporary clone.")
def verify(keep: bool) -> None:
    """Reproduce all stages in a fresh clone without the run cache, and compare each output hash with dvc.lock.

    Exit code 0: all outputs are equal. 1: an output differs; the table shows which one.
    """
    from dagster_project.verify import verify as verify_outputs

    sys.exit(verify_outputs(Path.cwd(), console, keep=keep))


@click.command()
@click.option("--port", default=3000, show_default=True, help="Port on 127.0.0.1.")
def ui(port: int) -> None:
    """Start the Dagster UI with lineage, schedules and checks. It reloads after edits of parameters and code."""
    from dagster_project.ui import serve

    sys.exit(serve(Path.cwd(), port, console))


@click.command()
def status() -> None:
    """Show for each stage whether it is up to date, and if not, why."""
    from dagster_project.dvc.project import DvcProject
    from dagster_project.parameters import check_parameters
    from heddle.evaluation.metric_names import plain_name

    project = DvcProject(Path.cwd())
    check_parameters(project.root, project.sections)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("stage", "state", "headline", "data version"):
        table.add_column(heading)
    for state in project.graph.values():
        headline = state.meta.get("headline", "")
        value = project.metrics(state.name).get(headline)
        number = "" if value is None else f"{plain_name(headline)} {value:.4g}"
        summary = f"[yellow]{'; '.join(state.causes)}[/]" if state.causes else "[green]up to date[/]"
        table.add_row(state.name, summary, number, (state.data_version or "")[:12])
    console.print(table)


@click.command()
def drift() -> None:
    """Show how far the listings have drifted from those of the last registered version.

    Exit code 0: no drift. 2: a field or the text embeddings drifted by more than section `drift` of params.yaml allows.
    """
    from dagster_project.drift import print_drift

    sys.exit(2 if print_drift(Path.cwd(), console) else 0)


@click.command()
@click.option("--apply", is_flag=True, help="Create or update the drafts. Without it, only print the plan.")
def publish(apply: bool) -> None:
    """Write content to the listings' WordPress site as drafts, which a person reviews and publishes."""
    from dagster_project.publish_content import show

    show(Path.cwd(), console, apply=apply)


@click.group()
def registry() -> None:
    """List registered models, promote a version, roll back."""


@registry.command("list")
def registry_list() -> None:
    """List all registered versions with stage, commit and metrics."""
    from dagster_project.registry import versions

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("version", "stage", "commit", "metrics"):
        table.add_column(heading)
    rows = versions(Path.cwd())
    for row in rows:
        numbers = ", ".join(f"{path} {value:.4g}" for path, value in list(row.metrics.items())[:3])
        table.add_row(row.tag, ", ".join(row.stages), row.commit[:7], numbers)
    console.print(table if rows else "No model is registered yet. `heddle run` registers models that pass their gates.")


@registry.command()
@click.argument("model")
@click.argument("version")
def promote(model: str, version: str) -> None:
    """Make VERSION (v1.2.0) of MODEL the champion."""
    from dagster_project.registry import promote as promote_version

    promote_version(Path.cwd(), model, version)
    console.print(f"{model}@{version} is now champion.")


@registry.command()
@click.argument("model")
def rollback(model: str) -> None:
    """Make the previous champion of MODEL champion again."""
    from dagster_project.registry import rollback as roll_back

    console.print(f"{model}@{roll_back(Path.cwd(), model)} is champion again.")
