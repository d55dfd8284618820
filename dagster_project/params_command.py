"""The command ``heddle params``: effective parameters, their origin and their description."""

from dataclasses import asdict
from pathlib import Path

import click

from heddle.core.terminal import PipeConsole, json_text

console = PipeConsole()


@click.command()
@click.argument("section", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list of key, value, origin and description.")
def params(section: str | None, as_json: bool) -> None:
    """Show the effective parameters of SECTION, or of all sections in the files.

    The origin of a value is `default` (the section's class), `params.yaml` or `scales/<scale>.yaml`. To change a value,
    write the key into its file. To change it for one experiment, also where no file contains the key:

    \b
        dvc exp run -S scales/demo.yaml:++clip.trainer.patience=3
        dvc exp run -S ++shards.quality=80

    Exit code 0: the parameters were shown. 1: there is no such section, or a file is wrong.
    """
    from dagster_project.parameter_values import parameter_table, read_values  # slow: every parameter class

    values = read_values(section, Path.cwd())
    if as_json:
        click.echo(json_text([asdict(value) for value in values], indent=2))
    else:
        console.print(parameter_table(values))
