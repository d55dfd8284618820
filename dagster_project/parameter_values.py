"""Effective parameters of one or all sections, as values and as a table."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from dagster_project.parameters import SECTIONS, find_unknown_sections, written_sections
from heddle.core.parameters.provenance import DEFAULT, EffectiveValue, effective_values
from heddle.core.parameters.section import ParameterError
from heddle.core.terminal import json_text, untrusted


def read_values(section: str | None, root: Path) -> list[EffectiveValue]:
    """List the effective values of a section, or of all sections in the files.

    Raises:
        ParameterError: the section or one in the files is unknown, or a parameter is wrong.
    """
    if unknown := find_unknown_sections(root):
        raise ParameterError("\n".join(unknown))
    names = _known_sections(root) if section is None else [_check_known(section)]
    return [value for name in names for value in effective_values(name, SECTIONS[name], root)]


def _check_known(section: str) -> str:
    if section not in SECTIONS:
        raise ParameterError(f"{section}: unknown section; allowed: {', '.join(SECTIONS)}")
    return section


def _known_sections(root: Path) -> list[str]:
    written = written_sections(root)
    return [name for name in SECTIONS if name in written]


def parameter_table(values: Sequence[EffectiveValue]) -> Table:
    """One row per value; defaults are dim."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("key", "value", "origin", "description"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("key", "origin"))
    for value in values:
        style = "dim" if value.origin == DEFAULT else ""
        shown = value.value if isinstance(value.value, str) else json_text(value.value)
        table.add_row(*(untrusted(text, style) for text in (value.key, shown, value.origin, value.description)))
    return table
