"""Commands that use Dagster, DVC and the registry. ``heddle`` loads them through entry points."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from heddle.core.terminal import PipeConsole, json_text

console = PipeConsole()


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


@click.command("check-source")
@click.argument("name")
@click.option("--rows", default=20, show_default=True, type=click.IntRange(1, 1000), help="Records of each table.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list with one object for each table.")
def check_source(name: str, rows: int, as_json: bool) -> None:
    """Read the first records of the source NAME of params.yaml as `catalog` does, and write nothing.

    Shows delimiter, encoding and mapping of a table, the records that would be accepted with their images, and the
    refused ones with the reason.

    Exit code 0: records would be accepted. 1: none would, or the source cannot be read. 2: an invalid option.
    """
    from dagster_project.source_check.check import check_source as check
    from dagster_project.source_check.show import show_check

    checks = check(name, rows)
    if as_json:
        click.echo(json_text([asdict(each) for each in checks], indent=2))
    for each in [] if as_json else checks:
        show_check(each, console)
    sys.exit(0 if any(each.accepted for each in checks) else 1)


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
@click.option(
    "--allow-host", multiple=True, metavar="NAME", help="Also answer under this host name, for example of a proxy."
)
def ui(port: int, allow_host: tuple[str, ...]) -> None:
    """Start the Dagster UI with lineage, schedules and checks. It reloads after edits of parameters and code.

    Requests from other web sites are refused. If the environment variable HEDDLE_UI_TOKEN is set, its value is required
    as password or bearer token.

    Exit code 0: closed with Ctrl-C. 1: a process of the UI ended, for example because the port is in use.
    """
    from dagster_project.ui import serve

    sys.exit(serve(Path.cwd(), port, console, allow_host))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list with one object for each stage.")
def status(as_json: bool) -> None:
    """Show for each stage whether it is up to date, and if not, why.

    Exit code 0: the state was read, also if stages are stale. 1: the project or its parameters are wrong.
    """
    from dagster_project.dvc.project import DvcProject
    from dagster_project.parameters import check_parameters
    from dagster_project.status import read_status, status_table

    project = DvcProject(Path.cwd())
    check_parameters(project.root, project.sections)
    states = read_status(project)
    if as_json:
        _print_json([vars(state) for state in states])
    else:
        console.print(status_table(states))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one object.")
def drift(as_json: bool) -> None:
    """Show how far the listings have drifted from those of the last registered version.

    Exit code 0: no drift. 1: there is nothing to compare with. 2: a field or the text embeddings drifted by more than
    section `drift` of params.yaml allows.
    """
    from dagster_project.drift import compare, drift_record, print_drift

    found = compare(Path.cwd())
    if as_json:
        _print_json(drift_record(found))
    else:
        print_drift(found, console)
    sys.exit(2 if found.drifted else 0)


@click.command()
@click.option("--apply", is_flag=True, help="Create or update the drafts. Without it, only print the plan.")
def publish(apply: bool) -> None:
    """Write content to the listings' WordPress site as drafts, which a person reviews and publishes.

    Exit code 0: the plan was printed or written; its table names the listings that were skipped or failed. 1: wrong
    parameters, a site that cannot be read, or a gate that the writer failed.
    """
    from dagster_project.publish_content import show

    show(Path.cwd(), console, apply=apply)


@click.group()
def registry() -> None:
    """List registered models, promote a version, roll back.

    Exit code 0: success. 1: an error; the help of each command has details.
    """


@registry.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list with one object for each version.")
def registry_list(as_json: bool) -> None:
    """List all registered versions with stage, commit, the metrics and bounds of their gates, and their headline.

    Exit code 0: the registry was read, also if it is empty. 1: the parameters or tags cannot be read.
    """
    from dagster_project.checks import read_gates
    from dagster_project.registry import versions
    from dagster_project.registry_table import registry_records, registry_table

    rows, gates = versions(Path.cwd()), read_gates(Path.cwd())
    if as_json:
        _print_json(registry_records(rows, gates))
    elif rows:
        console.print(registry_table(rows, gates))
    else:
        console.print("No model is registered yet. `heddle run` registers models that pass their gates.")


@registry.command()
@click.argument("model")
@click.argument("version")
def promote(model: str, version: str) -> None:
    """Make VERSION (v1.2.0) of MODEL the champion.

    Exit code 0: the version is champion. 1: it is not registered.
    """
    from dagster_project.registry import promote as promote_version

    promote_version(Path.cwd(), model, version)
    console.print(f"{model}@{version} is now champion.")


@registry.command()
@click.argument("model")
def rollback(model: str) -> None:
    """Make the previous champion of MODEL champion again.

    Exit code 0: the previous version is champion. 1: there was no champion before.
    """
    from dagster_project.registry import rollback as roll_back

    console.print(f"{model}@{roll_back(Path.cwd(), model)} is champion again.")


def _print_json(value: Any) -> None:
    click.echo(json_text(value, indent=2))
