"""Write content back to the site that its listings came from: the asset ``published_content``, ``heddle publish``."""

import hashlib
import html
from collections import Counter
from collections.abc import Sequence
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
from heddle.description.resumable_jsonl import ResumableJsonlError
from heddle.inference.describe import DescribeError
from heddle.publishing.content import accepted, contents, has_writer
from heddle.publishing.parameters import PublishedContentParameters, chosen_source
from heddle.publishing.plan import Kind, Step
from heddle.publishing.publish import Publisher
from heddle.publishing.site import Site, SiteError

SECTION = "published_content"
UPSTREAM = ("catalog", "validated", "writer", "writer_evaluation")
ROWS = 200  # of the report's table
USER_ERRORS = (DescribeError, ResumableJsonlError, ParameterError, SiteError, StageError)


class Really(dg.Config):
    """Of a run of the asset."""

    really: bool = False
    """Write, whatever ``published_content.dry_run`` says."""


def is_configured(root: Path) -> bool:
    """Whether the parameters have the section."""
    return SECTION in read_yaml(root / PARAMS_FILE)


def publish(root: Path, *, really: bool = False) -> tuple[list[Step], bool]:
    """Plan every chosen listing's draft and, if it is really meant, write it. Returns the steps, and whether it was.

    Raises:
        SiteError: and the others of :data:`USER_ERRORS`; the message says what to do.
    """
    if not is_configured(root):
        raise ParameterError(f"{root / PARAMS_FILE}: {SECTION}: missing; add `{SECTION}: {{source: my_shop}}`")
    settings = load(SECTION, PublishedContentParameters, root)
    source, data = chosen_source(settings, root), root / "data"
    really = really or not settings.dry_run
    missed = [each for each in verdicts(root) if each.model == "writer" and not each.passed] if has_writer(data) else []
    if really and missed:
        raise SiteError(f"nothing was written: the writer missed a gate, {missed[0].description}")
    rows = accepted(data, source.name)
    if settings.posts != "all":
        wanted = {f"{source.name}:{number}" for number in settings.posts}
        if strange := sorted(wanted - {row["id"] for row in rows}):
            raise ParameterError(f"{root / PARAMS_FILE}: {SECTION}.posts: no accepted listing {', '.join(strange)}")
        rows = [row for row in rows if row["id"] in wanted]
    (data / SECTION).mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(data / SECTION / ".lock", timeout=0), Site(source) as site:
            return list(Publisher(site, settings.status).steps(contents(rows, data), really=really)), really
    except Timeout as error:
        raise SiteError("another process is publishing; wait until it has ended") from error


def report(steps: Sequence[Step], done: bool) -> str:
    """Markdown: how many of each kind, and a table of all but the unchanged."""
    counts = Counter(step.kind for step in steps)
    told = [step for step in steps if step.kind is not Kind.UNCHANGED]
    lines = [
        f"**{'Written' if done else 'Dry run: nothing was written'}.** "
        + ", ".join(f"{counts[kind]} {kind}" for kind in Kind),
        "",
        "| listing | draft | what | details |",
        "|---|---|---|---|",
        *(f"| {_cell(step.listing)} | {step.post or ''} | {step.kind} | {_details(step)} |" for step in told[:ROWS]),
    ]
    return "\n".join([*lines, "", f"… and {len(told) - ROWS} more"] if len(told) > ROWS else lines)


def show(root: Path, console: Console, *, really: bool) -> None:
    """Publish and print the report."""
    steps, done = publish(root, really=really)
    console.print(Markdown(report(steps, done)))
    if not done:
        console.print("\n`heddle publish --really` writes this.", style="dim")


def _details(step: Step) -> str:
    changes = [f"{name}: {_cell(old)} → {_cell(new)}" for name, (old, new) in step.changes.items()]
    if step.kind is Kind.NEW:
        changes = [f"{name}: {_cell(new)}" for name, (_, new) in step.changes.items() if name == "title"]
    return "; ".join([*changes, *([_cell(step.why, 300)] if step.why else [])])


def _cell(value: Any, width: int = 60) -> str:
    """What a cell of a Markdown table holds without harm."""
    text = ", ".join(value) if isinstance(value, list) else str(value or "")
    escaped = html.escape(shorten(html.unescape(text) or "nothing", width, placeholder=" …"), quote=False)
    return "".join(f"&#{ord(each)};" if each in "|`*_[]!\\" else each for each in escaped)


def published_content_asset(project: DvcProject) -> dg.AssetsDefinition:
    """The asset ``published_content``, for a project that has the section."""
    settings = load(SECTION, PublishedContentParameters, project.root)
    site = chosen_source(settings, project.root)

    @dg.asset(
        name=SECTION,
        deps=[name for name in UPSTREAM if name in project.graph],
        group_name="serving",
        kinds={"wordpress"},
        code_version=hashlib.sha256((settings.model_dump_json() + site.model_dump_json()).encode()).hexdigest()[:16],
        description=f"Content of the listings of {site.name}, on its site as drafts.",
    )
    def published_content(config: Really) -> dg.MaterializeResult:
        try:
            steps, done = publish(project.root, really=config.really)
        except USER_ERRORS as error:
            raise dg.Failure(str(error)) from error
        counts = Counter(step.kind.replace(" ", "_") for step in steps)
        return dg.MaterializeResult(
            metadata={"report": dg.MetadataValue.md(report(steps, done)), "dry_run": not done, **counts}
        )

    return published_content
