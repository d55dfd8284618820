"""Write content back to the listings' WordPress site: the asset ``published_content`` and ``heddle publish``."""

import hashlib
import html
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import dagster as dg
from filelock import FileLock, Timeout
from rich.console import Console
from rich.markdown import Markdown

from dagster_project.checks import verdicts
from dagster_project.dvc.project import DvcProject
from heddle.core.parameters.section import PARAMS_FILE, ParameterError, load, read_yaml
from heddle.core.stage import StageError
from heddle.core.terminal import visible
from heddle.description.resumable_jsonl import ResumableJsonlError
from heddle.inference.describe import DescribeError
from heddle.publishing.content import has_writer, listing_contents, read_accepted_listings
from heddle.publishing.parameters import PublishedContentParameters, chosen_source
from heddle.publishing.plan import Action, PlannedChange
from heddle.publishing.publish import Publisher
from heddle.publishing.site import SiteError, WordPressClient

SECTION = "published_content"
UPSTREAM = ("catalog", "validated", "writer", "writer_evaluation")
MAX_ROWS = 200
"""Most rows of the report's table."""
USER_ERRORS = (DescribeError, ResumableJsonlError, ParameterError, SiteError, StageError)


class PublishConfig(dg.Config):
    """Config of a run of the asset."""

    apply: bool = False
    """Create or update the drafts, whatever ``published_content.dry_run`` is."""


@dataclass(frozen=True)
class Publication:
    """The result of a publication.

    Attributes:
        changes: the planned change of each listing.
        applied: whether the changes were written.
    """

    changes: tuple[PlannedChange, ...]
    applied: bool


def is_configured(root: Path) -> bool:
    """Whether the parameters have the section."""
    return SECTION in read_yaml(root / PARAMS_FILE)


def publish(root: Path, *, apply: bool = False) -> Publication:
    """Plan the change of every chosen listing's draft and, with ``apply`` or ``dry_run: false``, write it.

    Args:
        root: folder of the project.
        apply: whether the changes are written, whatever ``published_content.dry_run`` is.

    Raises:
        SiteError: and the others of :data:`USER_ERRORS`; the message contains what to do.
    """
    if not is_configured(root):
        raise ParameterError(f"{root / PARAMS_FILE}: {SECTION}: missing; add `{SECTION}: {{source: my_shop}}`")
    settings = load(SECTION, PublishedContentParameters, root)
    source, data = chosen_source(settings, root), root / "data"
    apply = apply or not settings.dry_run
    if apply and has_writer(data):
        missed = [verdict for verdict in verdicts(root) if verdict.model == "writer" and not verdict.passed]
        if missed:
            raise SiteError(f"nothing was written: the writer missed a gate, {missed[0].description}")
    rows = read_accepted_listings(data, source.name)
    if settings.posts != "all":
        chosen = {f"{source.name}:{number}" for number in settings.posts}
        if unknown := sorted(chosen - {row["id"] for row in rows}):
            raise ParameterError(f"{root / PARAMS_FILE}: {SECTION}.posts: no accepted listing {', '.join(unknown)}")
        rows = [row for row in rows if row["id"] in chosen]
    (data / SECTION).mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(data / SECTION / ".lock", timeout=0), WordPressClient(source) as site:
            changes = Publisher(site, settings.status).changes(listing_contents(rows, data), apply=apply)
            return Publication(tuple(changes), apply)
    except Timeout as error:
        raise SiteError("another process is publishing; wait until it has ended") from error


def report(publication: Publication) -> str:
    """Markdown: the number of changes of each action, and a table of all but the unchanged drafts."""
    counts = Counter(change.action for change in publication.changes)
    shown = [change for change in publication.changes if change.action is not Action.UNCHANGED]
    heading = "Applied" if publication.applied else "Plan: nothing was written"
    lines = [
        f"**{heading}.** " + ", ".join(f"{counts[action]} {action}" for action in Action),
        "",
        "| listing | draft | action | details |",
        "|---|---|---|---|",
        *(
            f"| {_cell(change.listing)} | {change.post or ''} | {change.action} | {_details(change)} |"
            for change in shown[:MAX_ROWS]
        ),
    ]
    if len(shown) > MAX_ROWS:
        lines += ["", f"… and {len(shown) - MAX_ROWS} more"]
    return "\n".join(lines)


def show(root: Path, console: Console, *, apply: bool) -> None:
    """Publish and print the report."""
    publication = publish(root, apply=apply)
    console.print(Markdown(report(publication)))
    if not publication.applied:
        console.print("\nRun `heddle publish --apply` to write these changes.", style="dim")


def _details(change: PlannedChange) -> str:
    if change.action is Action.CREATE:
        details = [f"{name}: {_cell(new)}" for name, (_, new) in change.changes.items() if name == "title"]
    else:
        details = [f"{name}: {_cell(old)} → {_cell(new)}" for name, (old, new) in change.changes.items()]
    if change.reason:
        details.append(_cell(change.reason, 300))
    return "; ".join(details)


def _cell(value: Any, width: int = 60) -> str:
    """A value as text that is safe in a cell of a Markdown table."""
    text = ", ".join(value) if isinstance(value, list) else str(value or "")
    words = visible(shorten(html.unescape(text) or "nothing", width, placeholder=" …"))
    escaped = html.escape(words, quote=False)
    return "".join(f"&#{ord(each)};" if each in "|`*_[]!\\" else each for each in escaped)


def published_content_asset(project: DvcProject) -> dg.AssetsDefinition:
    """The asset ``published_content``, for a project whose parameters have the section."""
    settings = load(SECTION, PublishedContentParameters, project.root)
    site = chosen_source(settings, project.root)

    @dg.asset(
        name=SECTION,
        deps=[name for name in UPSTREAM if name in project.graph],
        group_name="serving",
        kinds={"wordpress"},
        code_version=hashlib.sha256((settings.model_dump_json() + site.model_dump_json()).encode()).hexdigest()[:16],
        description=f"Content of the listings of {site.name}, written to its site as drafts.",
    )
    def published_content(config: PublishConfig) -> dg.MaterializeResult:
        try:
            publication = publish(project.root, apply=config.apply)
        except USER_ERRORS as error:
            raise dg.Failure(str(error)) from error
        counts = Counter(change.action.value for change in publication.changes)
        table = dg.MetadataValue.md(report(publication))
        return dg.MaterializeResult(metadata={"report": table, "dry_run": not publication.applied, **counts})

    return published_content
