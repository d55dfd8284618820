"""``heddle quarantine``: inspect quarantined records and release them."""

import dataclasses
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.nodes import CollectionNode, Node

from heddle.core.errors import UserError
from heddle.core.parameters.section import PARAMS_FILE, load
from heddle.core.schemas import read_rows
from heddle.core.terminal import PipeConsole, json_text, untrusted
from heddle.validation.expectations import EXPECTATIONS
from heddle.validation.parameters import ValidatedParameters

FILE = Path("data/validated/quarantine.parquet")
_RELEASABLE = frozenset(each.name for each in EXPECTATIONS if each.releasable)
_REMEDIES = {
    "image_missing": "make the image available at the source",
    "image_outside": "move the image into the source's folder, or set the source's `outside: true`",
    "image_truncated": "replace the image at the source with a complete one",
    "image_type": "replace the file at the source with an image",
    "image_too_large": "raise `catalog.image_megabytes` or `catalog.image_megapixels`",
    "no_image": "add an image at the source",
    "malformed_record": "fix the record at the source, or the column mapping of the source",
    "address_blocked": "fix the URL, or set the source's `private_addresses: true` if the host is in your own network",
    "robots_tag": "the site forbids the use of this record; ask its owner",
    "host_budget": "raise the source's `host_requests` or `host_gigabytes`",
    "images_known": "release its image instead, which is in the quarantine by its sha256",
}
"""What to do about a record that cannot be released, by reason."""


class QuarantineError(UserError):
    """There is no quarantine yet, or a record cannot be released; the message contains what to do."""


def show_quarantine(root: Path, ids: Sequence[str], reason: str | None, *, as_json: bool, console: PipeConsole) -> None:
    """Print the number of quarantined records by reason; with ids or a reason, print these records.

    As JSON, print one object a line: a reason with its number of records, or a record.

    Raises:
        QuarantineError: there is no quarantine, or no record has the id or reason.
    """
    rows = _rows(root)
    if not ids and reason is None:
        _print_summary(_count_reasons(rows), as_json=as_json, console=console)
        return
    wanted = [row for row in rows if (not ids or row["id"] in ids) and reason in (None, row["reason"])]
    missing = sorted(set(ids) - {row["id"] for row in wanted})
    if missing or not wanted:
        raise QuarantineError(
            f"no quarantined record has {_describe_filter(missing, reason)}; run `heddle quarantine show` to list them"
        )
    for row in wanted:
        if as_json:
            print(json_text(row))
            continue
        console.print_line(f"{row['table']} {row['id']}: {row['reason']}", "bold")
        for line in (row["origin"], row["detail"], row["record"] if ids else None):
            if line:
                console.print_line(f"  {line}")


def release_records(root: Path, ids: Sequence[str], console: PipeConsole) -> None:
    """Add ids to ``params.yaml: validated.released``, all or none; the next run accepts these rows.

    Raises:
        QuarantineError: an id is not in the quarantine, or its reason cannot be overridden.
        ParameterError: the parameters are invalid.
    """
    rows = _rows(root)
    blockers = [_find_blocker(id_, rows) for id_ in ids]
    if any(blockers):
        raise QuarantineError("\n".join(["no record was released:", *filter(None, blockers)]))
    released = load("validated", ValidatedParameters, root).released
    new = [id_ for id_ in dict.fromkeys(ids) if id_ not in released]
    if new:
        _write(root / PARAMS_FILE, new)
    console.print_line(f"{len(new)} released in {PARAMS_FILE}: validated.released; the next `heddle run` accepts them.")


def _rows(root: Path) -> list[dict[str, Any]]:
    if not (root / FILE).is_file():
        raise QuarantineError(f"{FILE} does not exist; run `heddle run`, or `dvc pull` to download it")
    return read_rows(root / FILE)


@dataclass(frozen=True)
class ReasonCount:
    """A row of the summary.

    Attributes:
        table: intended table of the records.
        reason: why they were quarantined.
        records: how many.
        releasable: whether `heddle quarantine release` accepts them.
        example: id of the first one.
    """

    table: str
    reason: str
    records: int
    releasable: bool
    example: str


def _count_reasons(rows: Iterable[dict[str, Any]]) -> list[ReasonCount]:
    """Records by table and reason, most frequent first."""
    examples: dict[tuple[str, str], str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        key = (row["table"], row["reason"])
        counts[key] += 1
        examples.setdefault(key, row["id"])
    return [
        ReasonCount(table, reason, number, reason in _RELEASABLE, examples[table, reason])
        for (table, reason), number in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def _print_summary(reasons: Sequence[ReasonCount], *, as_json: bool, console: PipeConsole) -> None:
    if as_json:
        for each in reasons:
            print(json_text(dataclasses.asdict(each)))
        return
    if not reasons:
        console.print("The quarantine is empty.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("records", justify="right")
    for heading in ("table", "reason", ""):
        table.add_column(heading, no_wrap=True)
    table.add_column("example", overflow="fold")
    for each in reasons:
        texts = (each.table, each.reason, "releasable" if each.releasable else "", each.example)
        table.add_row(str(each.records), *map(untrusted, texts))
    console.print(table)


def _find_blocker(id_: str, rows: Iterable[dict[str, Any]]) -> str | None:
    """Return why a record cannot be released, and what to do; None if it can."""
    reasons = [row["reason"] for row in rows if row["id"] == id_]
    if not reasons:
        return f"{id_}: not in the quarantine"
    for reason in reasons:
        if reason not in _RELEASABLE:
            return f"{id_}: {reason}: {_REMEDIES.get(reason, 'stages rely on it; fix the record at its source')}"
    return None


def _write(file: Path, ids: Iterable[str]) -> None:
    """Add ids to the list, one a line. All lines of other sections stay as they are."""
    text = file.read_text()
    if text and not text.endswith("\n"):
        text += "\n"
    lines = text.split("\n")
    start, end = _find_section(text, "validated")
    section = _add_released("\n".join([*lines[start:end], ""]), ids)
    file.write_text("\n".join([*lines[:start], *section.splitlines(), *lines[end:]]))


def _find_section(text: str, name: str) -> tuple[int, int]:
    """First line of a section and the line after its last value; both the end of the file if there is no section."""
    root = YAML(typ="rt").compose(text)
    for key, value in root.value if root else []:
        if key.value == name:
            return key.start_mark.line, max(key.start_mark.line, _last_line(value)) + 1
    end = text.count("\n")
    return end, end


def _last_line(node: Node) -> int:
    """Line of the node's last value. The end of a block in ruamel.yaml is after the comments that follow the block."""
    if not isinstance(node, CollectionNode) or node.flow_style or not node.value:
        return int(node.end_mark.line)
    last = node.value[-1]
    return _last_line(last[1] if isinstance(last, tuple) else last)


def _add_released(section: str, ids: Iterable[str]) -> str:
    """Return the text of the section with more ids, in block style."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    content = yaml.load(section) or CommentedMap()
    values = content.get("validated")
    if values is None:
        values = content["validated"] = CommentedMap()
    values.fa.set_block_style()
    released = values.get("released")
    if not released:
        released = values["released"] = CommentedSeq()
    released.fa.set_block_style()
    released.extend(ids)
    output = io.StringIO()
    yaml.dump(content, output)
    return re.sub(r"^(validated:) +(#)", r"\1 \2", output.getvalue())


def _describe_filter(ids: Sequence[str], reason: str | None) -> str:
    parts = []
    if ids:
        parts.append(f"the id {', '.join(ids)}")
    if reason:
        parts.append(f"the reason {reason}")
    return " and ".join(parts)
