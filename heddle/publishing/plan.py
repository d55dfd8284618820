"""What to do about a listing's draft: a function of what stands on the site and of what is wanted, and nothing else."""

import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

OPEN = frozenset({"draft", "pending"})
"""Statuses of posts that nobody has decided on; only these are written to."""

Fields = Mapping[str, Any]
"""Field of a post (``title``, ``tags``, ``meta.seo_title``) -> text as WordPress keeps it, number, names of terms."""


class Kind(StrEnum):
    """What becomes of a draft."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    LEFT_ALONE = "left alone"
    REFUSED = "refused"


@dataclass(frozen=True)
class Wanted:
    """Content that a listing's draft should have.

    Attributes:
        listing: its id.
        remarks: what of the content the site has no place for.
    """

    listing: str
    fields: Fields
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Standing:
    """A draft as it stands on the site.

    Attributes:
        hashes: of each field as it was last written by us.
        modified: when the site last saved it.
        written: when the site saved what we wrote last.
    """

    post: int
    status: str
    fields: Fields
    hashes: Mapping[str, str]
    modified: str
    written: str


@dataclass(frozen=True)
class Step:
    """What is to be done, or was done.

    Attributes:
        post: number of the draft; None where there is none yet.
        changes: field -> what stands there and what shall.
        why: it is left alone or refused, or what else is to be known.
    """

    listing: str
    kind: Kind
    post: int | None = None
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    why: str = ""


def step_of(wanted: Wanted, standing: Standing | None) -> Step:
    """Compare. What a person touched since we wrote it is left alone, whatever is wanted."""
    remarks = "; ".join(wanted.remarks)
    if standing is None:
        changes = {name: (None, value) for name, value in wanted.fields.items() if value}
        return Step(wanted.listing, Kind.NEW, None, changes, remarks)
    if touched := _touched(standing):
        return Step(wanted.listing, Kind.LEFT_ALONE, standing.post, why=touched)
    found = {name: standing.fields.get(name) for name in wanted.fields}
    changes = {name: (found[name], value) for name, value in wanted.fields.items() if not same(found[name], value)}
    return Step(wanted.listing, Kind.CHANGED if changes else Kind.UNCHANGED, standing.post, changes, remarks)


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same: WordPress writes ``&`` as ``&amp;`` or not, by the rights of the account."""
    return _canonical(one) == _canonical(other)


def hashes_of(fields: Fields) -> dict[str, str]:
    """A short hash of each field, by which an edit shows."""
    return {name: _hash(value) for name, value in sorted(fields.items())}


def _touched(standing: Standing) -> str:
    if standing.status not in OPEN:
        return f"a person has decided on it: {standing.status}"
    edited = [name for name, known in standing.hashes.items() if _hash(standing.fields.get(name)) != known]
    if edited:
        return f"a person edited {', '.join(edited)}"
    return "" if standing.modified == standing.written else f"it was saved at {standing.modified} by somebody else"


def _canonical(value: Any) -> Any:
    if isinstance(value, str):
        return html.unescape(value).replace("\r\n", "\n").strip()
    return sorted(map(html.unescape, value)) if isinstance(value, list | tuple) else value


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(_canonical(value)).encode()).hexdigest()[:16]
