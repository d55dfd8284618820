"""Progress of a run, computed from its events: a live table in a terminal, plain lines otherwise."""

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dagster_project.dvc.project import StageState
from dagster_project.dvc.runner import StageOutcome
from heddle.core.terminal import untrusted, visible
from heddle.evaluation.metric_names import plain_name

PROGRESS = re.compile(r"^\[(?P<stage>\w+)\] (?P<message>.*)$")
STYLES = {
    "waiting": "dim",
    "running": "bold cyan",
    str(StageOutcome.RAN): "green",
    str(StageOutcome.RESTORED): "green",
    str(StageOutcome.UNCHANGED): "dim green",
    "done": "green",
    "skipped": "yellow",
    "failed": "bold red",
}


CRASH = "ChildProcessCrashException"
"""Dagster's error of a step whose process ended without one. It has no message."""


@dataclass
class ProgressRow:
    """One row of the table: an asset of the run."""

    state: str = "waiting"
    started: float | None = None
    ended: float | None = None
    message: str = ""

    def seconds(self, now: float) -> str:
        """Duration as text; empty before the start."""
        return "" if self.started is None else f"{(self.ended or now) - self.started:.0f} s"


class RunProgress:
    """State of a run, updated from its event records.

    Args:
        names: assets of the run, upstream first.
        stages: stages of the graph, for their headline metrics.
    """

    def __init__(self, names: Iterable[str], stages: Mapping[str, StageState]) -> None:
        self.rows = {name: ProgressRow() for name in names}
        self.errors: dict[str, str] = {}
        self.run_error = ""
        self._stages = stages

    def feed(self, entry: dg.EventLogEntry) -> str | None:
        """Process one event. Returns a line to print if there is no live table."""
        if entry.is_dagster_event and entry.get_dagster_event().event_type is dg.DagsterEventType.RUN_FAILURE:
            self.run_error = entry.get_dagster_event().message or ""
        row = self.rows.get(entry.step_key or "")
        if row is None or entry.step_key is None:
            return None
        if not entry.is_dagster_event:
            return self._log(entry.step_key, row, entry.user_message)
        event = entry.get_dagster_event()
        match event.event_type:
            case dg.DagsterEventType.STEP_START:
                row.state, row.started = "running", entry.timestamp
            case dg.DagsterEventType.ASSET_MATERIALIZATION:
                self._materialised(entry.step_key, row, event.materialization)
            case dg.DagsterEventType.STEP_SUCCESS:
                row.ended = entry.timestamp
                row.state = "done" if row.state == "running" else row.state
                return f"{entry.step_key}: {row.state} in {row.seconds(row.ended)}  {row.message}"
            case dg.DagsterEventType.STEP_FAILURE:
                row.state, row.ended = "failed", entry.timestamp
                self.errors[entry.step_key] = _reason(event)
                row.message = self.errors[entry.step_key].splitlines()[-1]
                return f"{entry.step_key}: failed"
        return None

    def close(self) -> None:
        """Mark the waiting assets as skipped after the run has ended."""
        reason = "an upstream stage failed" if self.errors else "the run ended before"
        for row in self.rows.values():
            if row.state == "waiting":
                row.state, row.message = "skipped", reason

    def table(self, expand: bool = True) -> Table:
        """Table of the current state.

        Args:
            expand: fill the width of the terminal. A pipe has no width to fill.
        """
        table = Table(box=None, pad_edge=False, header_style="dim", expand=expand)
        table.add_column("stage", no_wrap=True, min_width=max((len(name) for name in self.rows), default=0))
        table.add_column("state", no_wrap=True, min_width=max(len(row.state) for row in self.rows.values()))
        table.add_column("time", no_wrap=True, min_width=6, justify="right")
        table.add_column("", no_wrap=True, overflow="ellipsis", ratio=1)
        now = time.time()
        for name, row in self.rows.items():
            state = Text(row.state, STYLES.get(row.state, ""))
            table.add_row(name, state, row.seconds(now), _message(row.message))
        return table

    def _log(self, name: str, row: ProgressRow, message: str) -> str | None:
        match = PROGRESS.match(message)
        if not match or match["stage"] != name:
            if not self._stages.get(name):
                row.message = message.splitlines()[0]
            return None
        row.message = match["message"]
        return message

    def _materialised(self, name: str, row: ProgressRow, materialization: dg.AssetMaterialization) -> None:
        metadata = {key: value.value for key, value in materialization.metadata.items()}
        row.state = str(metadata.get("outcome", "done"))
        stage = self._stages.get(name)
        headline = stage.meta.get("headline") if stage else None
        if headline in metadata:
            row.message = f"{plain_name(headline)} {_number(metadata[headline])}"
        elif stage:
            row.message = ""


def print_errors(console: Console, errors: Mapping[str, str]) -> None:
    """Print the error of each failed stage."""
    for error in errors.values():
        heading, _, details = error.partition("\n")
        console.print(untrusted(f"\n{heading}", "bold red"))
        console.print(untrusted(details), soft_wrap=True)


def _message(words: str) -> Text:
    """A stage's own words, and those of its libraries."""
    return Text(visible(words), "dim", overflow="ellipsis")


def _number(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _reason(event: dg.DagsterEvent) -> str:
    """The innermost error message of a failed step."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    error = data.error
    if error and error.cls_name == CRASH:
        return (
            f"{event.step_key} failed:\nits process ended without a message, as when the system kills a process "
            "for lack of memory. Run `heddle run` again"
        )
    while error and error.cause:
        error = error.cause
    return error.message.strip() if error else "no error message"
