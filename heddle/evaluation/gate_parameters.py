"""Section `gates`: what a model must reach before it may be registered."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from heddle.core.parameters.section import Section


class Gate(Section):
    """A bound on a metric of a stage; exactly one of ``at_least`` and ``at_most``."""

    metric: str = Field(
        pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$",
        description="<stage>.<path in its metrics.json>, for example clip_evaluation.text_to_image.recall_at_10",
    )
    at_least: float | None = Field(default=None, allow_inf_nan=False, description="smallest value that passes the gate")
    at_most: float | None = Field(default=None, allow_inf_nan=False, description="largest value that passes the gate")

    @model_validator(mode="after")
    def _has_one_bound(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give exactly one of at_least and at_most")
        return self

    @property
    def stage(self) -> str:
        """The stage that measures the metric."""
        return self.metric.partition(".")[0]

    @property
    def path(self) -> str:
        """The metric's path in the stage's ``metrics.json``: ``text_to_image.recall_at_10``."""
        return self.metric.partition(".")[2]

    @property
    def direction(self) -> Literal["at least", "at most"]:
        """Which side of the bound passes the gate."""
        return "at least" if self.at_least is not None else "at most"

    @property
    def bound(self) -> float:
        """The bound; a value equal to it passes."""
        return self.at_least if self.at_least is not None else self.at_most or 0.0


class GatesSection(Section):
    """Base of the section `gates`: one field for each released model; a model without gates has an empty list."""

    def by_model(self) -> Mapping[str, tuple[Gate, ...]]:
        """Model name to its gates, in the order of the fields."""
        return {name: getattr(self, name) for name in type(self).model_fields}
