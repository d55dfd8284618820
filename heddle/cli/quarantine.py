"""``heddle quarantine``: what was refused and why, and letting in what a person knows better of."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from ruamel.yaml import YAML

from heddle.core.errors import UserError
from heddle.core.parameters.section import PARAMS_FILE, load
from heddle.core.schemas import read_rows
from heddle.validation.expectations import EXPECTATIONS
from heddle.validation.parameters import ValidatedParameters

FILE = Path("data/validated/quarantine.parquet")
_RELEASABLE = frozenset(each.name for each in EXPECTATIONS if each.releasable)
_REMEDIES = {
    "image_missing": "make its image available at the source",
    "image_truncated": "put a whole image in its place at the source",
    "image_type": "put an image in its place at the source",
    "image_too_large": "raise `catalog.image_megabytes` or `catalog.image_megapixels`",
    "no_image": "give it an image at the source",
    "malformed_record": "mend the record at the source, or the source's column mapping",
    "address_refused": "correct the address, or set the source's `private_addresses: true` if it is your own network",
    "robots_tag": "ask the site's owner, whose wish it is",
    "host_budget": "raise the source's `host_requests` or `host_gigabytes`",
    "images_known": "release its image instead, which stands in the quarantine by its sha256",
}
"""What to do about what cannot be released, by reason."""


class QuarantineError(UserError):
    """There is no quarantine yet, or a record cannot be released; the message says what to do."""


def show(root: Path, ids: Sequence[str], reason: str | None, console: Console) -> None:
    """Print how many records are refused for which reason; with ids or a reason, those records.

    Raises:
        QuarantineError: there is no quarantine, or nothing in it has that id or reason.
    """
    rows = _rows(root)
    if not ids and reason is None:
        console.print(_reasons(rows) if rows else "Nothing is in the quarantine.")
        return
    wanted = [row for row in rows if (not ids or row["id"] in ids) and reason in (None, row["reason"])]
    missing = sorted(set(ids) - {row["id"] for row in wanted})
    if missing or not wanted:
        raise QuarantineError(f"no record in the quarantine has {_named(missing, reason)}; `heddle quarantine show`")
    for row in wanted:
        console.print(f"{row['table']} {row['id']}: {row['reason']}", style="bold", markup=False, highlight=False)
        for line in (row["origin"], row["detail"], row["record"] if ids else None):
            if line:
                console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


def release(root: Path, ids: Sequence[str], console: Console) -> None:
    """Write ids to ``params.yaml: validated.released``, all or none; the next run lets those rows in.

    Raises:
        QuarantineError: an id is not in the quarantine, or is there for a reason that no person can wave aside.
        ParameterError: the parameters are wrong.
    """
    rows = _rows(root)
    held = [why for id_ in ids if (why := _held(id_, rows))]
    if held:
        raise QuarantineError("\n".join(["nothing was released:", *held]))
    released = load("validated", ValidatedParameters, root).released
    new = [id_ for id_ in dict.fromkeys(ids) if id_ not in released]
    if new:
        _write(root / PARAMS_FILE, new)
    console.print(f"{len(new)} released in {PARAMS_FILE}: validated.released; `heddle run` lets them in.")


def _rows(root: Path) -> list[dict[str, Any]]:
    if not (root / FILE).is_file():
        raise QuarantineError(f"{FILE} is not there yet: `heddle run` makes it, or `dvc pull` brings it")
    return read_rows(root / FILE)


def _reasons(rows: Iterable[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("records", justify="right")
    for heading in ("table", "reason", ""):
        table.add_column(heading, no_wrap=True)
    table.add_column("for example", overflow="fold")
    example: dict[tuple[str, str], str] = {}
    times: Counter[tuple[str, str]] = Counter()
    for row in rows:
        key = (row["table"], row["reason"])
        times[key] += 1
        example.setdefault(key, row["id"])
    for key, number in sorted(times.items(), key=lambda pair: (-pair[1], pair[0])):
        may = "may be released" if key[1] in _RELEASABLE else ""
        table.add_row(str(number), *key, may, escape(example[key]))
    return table


def _held(id_: str, rows: Iterable[dict[str, Any]]) -> str | None:
    """Why a record cannot be released, and what to do; None if it can."""
    reasons = [row["reason"] for row in rows if row["id"] == id_]
    if not reasons:
        return f"{id_}: not in the quarantine"
    for reason in reasons:
        if reason not in _RELEASABLE:
            return f"{id_}: {reason}: {_REMEDIES.get(reason, 'stages rely on it; mend the record at its source')}"
    return None


def _write(file: Path, ids: Iterable[str]) -> None:
    """Add to the list, leaving the file's comments and order as they are."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    content = yaml.load(file)
    content["validated"] = content.get("validated") or {}
    content["validated"]["released"] = [*(content["validated"].get("released") or []), *ids]
    yaml.dump(content, file)


def _named(ids: Sequence[str], reason: str | None) -> str:
    return " and ".join([*([f"the id {', '.join(ids)}"] if ids else []), *([f"the reason {reason}"] if reason else [])])
