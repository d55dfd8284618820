"""``heddle registry list``: registered versions with the metrics that decide about them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from assets.families import FAMILIES
from dagster_project.registry import Version
from heddle.core.terminal import untrusted
from heddle.evaluation.gate_parameters import Gate, GatesSection
from heddle.evaluation.metric_names import plain_name

HEADLINES = {family.name: family.headline[0] for family in FAMILIES if family.headline}
"""Model -> path of its most important metric."""


@dataclass(frozen=True)
class DecisiveMetric:
    """A gate's metric of a registered version, or its headline metric.

    Attributes:
        metric: path in the evaluation's metrics.
        value: at registration; None if it was not measured.
        direction: "at least" or "at most"; None without a gate.
        bound: of the present gate; None without a gate.
    """

    metric: str
    value: float | None
    direction: str | None = None
    bound: float | None = None

    def __str__(self) -> str:
        """Name, value and bound: ``Recall@10, text to image 0.61 (at least 0.5)``."""
        value = "not measured" if self.value is None else f"{self.value:.4g}"
        bound = "" if self.bound is None else f" ({self.direction} {self.bound:g})"
        return f"{plain_name(self.metric)} {value}{bound}"


def decisive_metrics(version: Version, gates: Sequence[Gate]) -> list[DecisiveMetric]:
    """The metrics of the gates, in their order, and the headline metric if no gate has it."""
    found = [DecisiveMetric(gate.path, version.metrics.get(gate.path), gate.direction, gate.bound) for gate in gates]
    headline = HEADLINES.get(version.model)
    if headline and headline not in {each.metric for each in found}:
        found.append(DecisiveMetric(headline, version.metrics.get(headline)))
    return found


def registry_table(versions: Sequence[Version], gates: GatesSection) -> Table:
    """One row for each version."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("version", "stage", "commit", "gates and headline"):
        table.add_column(heading)
    for version in versions:
        numbers = "; ".join(map(str, decisive_metrics(version, gates.by_model().get(version.model, ()))))
        table.add_row(*map(untrusted, (version.tag, ", ".join(version.stages), version.commit[:7], numbers)))
    return table


def registry_records(versions: Sequence[Version], gates: GatesSection) -> list[dict[str, Any]]:
    """The versions for JSON, with all their metrics."""
    return [
        asdict(version)
        | {
            "tag": version.tag,
            "created": version.created.isoformat(),
            "decisive": [
                asdict(metric) for metric in decisive_metrics(version, gates.by_model().get(version.model, ()))
            ],
        }
        for version in versions
    ]
