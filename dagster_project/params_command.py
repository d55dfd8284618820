"""The command ``heddle params``: effective parameters, their origin and their description."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from heddle.core.parameters.provenance import DEFAULT, EffectiveValue, effective_values
from heddle.core.parameters.section import PARAMS_FILE, ParameterError, Section, read_yaml, scale_file

console = Console()


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
    """
    from dagster_project.parameters import SECTIONS  # imports every parameter class and pyarrow

    root = Path.cwd()
    names = _written_sections(root, SECTIONS) if section is None else [_check_known(section, SECTIONS)]
    values = [value for name in names for value in effective_values(name, SECTIONS[name], root)]
    if as_json:
        click.echo(json.dumps([asdict(value) for value in values], indent=2, ensure_ascii=False))
    else:
        console.print(_table(values))


def _check_known(section: str, sections: Mapping[str, type[Section]]) -> str:
    if section not in sections:
        raise ParameterError(f"{section}: unknown section; allowed: {', '.join(sections)}")
    return section


def _written_sections(root: Path, sections: Mapping[str, type[Section]]) -> list[str]:
    written = {*read_yaml(root / PARAMS_FILE), *read_yaml(scale_file(root))}
    return [name for name in sections if name in written]


def _table(values: Sequence[EffectiveValue]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("key", "value", "origin", "description"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("key", "origin"))
    for value in values:
        style = "dim" if value.origin == DEFAULT else ""
        shown = value.value if isinstance(value.value, str) else json.dumps(value.value, ensure_ascii=False)
        table.add_row(*(Text(text, style) for text in (value.key, shown, value.origin, value.description)))
    return table
