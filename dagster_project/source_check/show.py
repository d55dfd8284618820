"""Print what the first records of a source show."""

from collections.abc import Sequence

from rich.table import Table

from dagster_project.source_check.results import AcceptedRecord, SourceCheck
from heddle.core.terminal import PipeConsole, untrusted

MAX_TEXT = 80  # characters of an example or a title
MAX_DETAIL = 300
NAMES = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "|"}


def show_check(check: SourceCheck, console: PipeConsole) -> None:
    """Print form, mapping, accepted and refused records as tables."""
    console.print_line(f"{check.name} ({check.kind}): {', '.join(check.locations)}", "bold")
    if check.delimiter and check.encoding:
        guessed = " (guessed; `encoding` of the source sets it)" if check.encoding_guessed else ""
        delimiter = NAMES.get(check.delimiter, check.delimiter)
        console.print_line(f"delimiter {delimiter}, encoding {check.encoding}{guessed}")
    for note in check.notes:
        console.print_line(note)
    if check.fields:
        rows = [(each.field, each.column, _shorten(each.example or "(no text)")) for each in check.fields]
        _print_table(("field", "column", "example"), rows, console)
        console.print_line(f"Columns without a field: {', '.join(check.unmapped) or 'none'}")
    more = "; the source has more" if check.limited else ", all of the source"
    console.print_line(f"{check.looked_at} records looked at{more}.")
    _print_table(("table", "id", "title", "image"), [_describe(each) for each in check.accepted], console)
    refused = [(each.id, each.reason, each.origin, _shorten(each.detail, MAX_DETAIL)) for each in check.refused]
    _print_table(("refused", "reason", "origin", "detail"), refused, console)
    console.print_line(f"{len(check.accepted)} accepted, {len(check.refused)} refused. Duplicates are not looked for.")


def _describe(record: AcceptedRecord) -> tuple[str, str, str, str]:
    image = record.image
    size = f"{image['width']} x {image['height']} {image['format']}, {image['bytes']:,} bytes" if image else ""
    return record.table, record.id, _shorten(record.title or ""), size


def _print_table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]], console: PipeConsole) -> None:
    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(untrusted, row))
    console.print()
    console.print(table)
    console.print()


def _shorten(text: str, length: int = MAX_TEXT) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
