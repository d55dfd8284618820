"""``heddle status``: the state of each stage, as records and as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from dagster_project.dvc.project import DvcProject
from heddle.core.terminal import untrusted
from heddle.evaluation.metric_names import plain_name


@dataclass(frozen=True)
class StageStatus:
    """The state of one stage.

    Attributes:
        stage: its name.
        up_to_date: whether neither the stage nor an input changed since the last run.
        causes: what changed.
        headline: path of the metric that represents the stage; None if it has none.
        value: of the headline metric; None if it was not measured.
        data_version: MD5 of the output folder on disk; None if it is missing.
    """

    stage: str
    up_to_date: bool
    causes: tuple[str, ...]
    headline: str | None
    value: float | None
    data_version: str | None


def read_status(project: DvcProject) -> list[StageStatus]:
    """The state of every stage, upstream first."""
    found = []
    for state in project.graph.values():
        headline = state.meta.get("headline")
        value = project.metrics(state.name).get(headline) if headline else None
        causes = tuple(state.causes)
        found.append(StageStatus(state.name, not causes, causes, headline, value, state.data_version))
    return found


def status_table(states: Sequence[StageStatus]) -> Table:
    """One row for each stage."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("stage", "state", "headline", "data version"):
        table.add_column(heading)
    for state in states:
        number = "" if state.value is None else f"{plain_name(state.headline or '')} {state.value:.4g}"
        summary = Text("up to date", "green") if state.up_to_date else untrusted("; ".join(state.causes), "yellow")
        table.add_row(untrusted(state.stage), summary, untrusted(number), (state.data_version or "")[:12])
    return table
