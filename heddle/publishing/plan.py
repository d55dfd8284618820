"""Plan the change of one listing's draft: a pure function of the desired state and the state on the site."""

import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

OPEN = frozenset({"draft", "pending"})
"""Statuses of posts that nobody has reviewed yet. Posts of any other status are never changed."""

Fields = Mapping[str, Any]
"""Field of a post (``title``, ``tags``, ``meta.seo_title``) to its stored text, number or names of terms."""


class Action(StrEnum):
    """What a plan does with one listing's draft."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    SKIP = "skip"
    ERROR = "error"


@dataclass(frozen=True)
class DesiredState:
    """The content that a listing's draft should have.

    Attributes:
        listing: id of the listing.
        fields: the content, as fields of a post.
        remarks: parts of the content that the site cannot store.
    """

    listing: str
    fields: Fields
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class RemoteState:
    """A draft as the site stores it.

    Attributes:
        post: number of the post.
        status: status of the post in WordPress.
        fields: the stored content.
        hashes: hash of each field as Heddle last wrote it.
        modified: time of the site's last save.
        written: time of the save of Heddle's last write.
    """

    post: int
    status: str
    fields: Fields
    hashes: Mapping[str, str]
    modified: str
    written: str


@dataclass(frozen=True)
class PlannedChange:
    """What the plan does with one listing's draft; after an apply, what was done.

    Attributes:
        listing: id of the listing.
        action: what is done.
        post: number of the draft; None where no draft exists.
        changes: field to its old and new value.
        reason: why the draft is skipped or failed; else remarks about the content.
    """

    listing: str
    action: Action
    post: int | None = None
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    reason: str = ""

    @property
    def writes(self) -> bool:
        """Whether an apply of this change writes to the site."""
        return self.action in (Action.CREATE, Action.UPDATE)


def plan_change(desired: DesiredState, remote: RemoteState | None) -> PlannedChange:
    """Compare the two states. A draft that a person changed since Heddle's last write is skipped.

    Args:
        desired: the content that the draft should have.
        remote: the draft; None where the site has none.
    """
    remarks = "; ".join(desired.remarks)
    if remote is None:
        changes = {name: (None, value) for name, value in desired.fields.items() if value}
        return PlannedChange(desired.listing, Action.CREATE, None, changes, remarks)
    if edit := _find_edit(remote):
        return PlannedChange(desired.listing, Action.SKIP, remote.post, reason=edit)
    changes = {}
    for name, value in desired.fields.items():
        stored = remote.fields.get(name)
        if not is_same(stored, value):
            changes[name] = (stored, value)
    action = Action.UPDATE if changes else Action.UNCHANGED
    return PlannedChange(desired.listing, action, remote.post, changes, remarks)


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal once unescaped: WordPress stores ``&`` or ``&amp;``, by the account's rights."""
    return _canonical(one) == _canonical(other)


def field_hashes(fields: Fields) -> dict[str, str]:
    """Field to a short hash of its value, which shows later edits."""
    return {name: _hash(value) for name, value in sorted(fields.items())}


def _find_edit(remote: RemoteState) -> str:
    """How a person changed the draft; empty if nobody did."""
    if remote.status not in OPEN:
        return f"a person set its status to {remote.status}"
    edited = [name for name, written in remote.hashes.items() if _hash(remote.fields.get(name)) != written]
    if edited:
        return f"a person edited {', '.join(edited)}"
    return "" if remote.modified == remote.written else f"somebody else saved it at {remote.modified}"


def _canonical(value: Any) -> Any:
    if isinstance(value, str):
        return html.unescape(value).replace("\r\n", "\n").strip()
    return sorted(map(html.unescape, value)) if isinstance(value, list | tuple) else value


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(_canonical(value)).encode()).hexdigest()[:16]
