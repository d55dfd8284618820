"""What each source contributes to an expectation's failures: a large sound source must not hide a small broken one."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from assets.validated.suites import Outcome

FEWEST = 20
"""Rows of a source below which a share of them says nothing."""


@dataclass(frozen=True)
class Rate:
    """How the rows of one source fared with one expectation.

    Attributes:
        evaluated: rows of the source that it applies to.
        failing: numbers of those that fail, ascending.
    """

    source: str
    evaluated: int
    failing: Sequence[int]

    def exceeds(self, bound: float) -> bool:
        """Whether more than a few bad rows fail."""
        return self.evaluated >= FEWEST and len(self.failing) > bound * self.evaluated


def rates(outcome: Outcome, frame: pd.DataFrame) -> list[Rate]:
    """The rate of each source with failing rows, by name; none for images, which sources share.

    Args:
        frame: the rows that the expectation saw, as `assets.validated.columns.frame` makes them.
    """
    if not outcome.failing or outcome.expectation.suite == "images":
        return []
    sources = frame["name"].str.partition(":")[0]
    applies = frame[outcome.expectation.column].notna()
    applies.loc[list(outcome.failing)] = True  # a null may be what fails
    evaluated = sources[applies].value_counts() if outcome.evaluated < len(frame) else sources.value_counts()
    failing = sources.loc[list(outcome.failing)]
    return [
        Rate(str(source), int(evaluated[source]), [int(row) for row in rows])
        for source, rows in sorted(failing.groupby(failing).groups.items())
    ]
