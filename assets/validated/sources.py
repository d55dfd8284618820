"""Compute failure rates by source, so that a large valid source cannot hide a small broken one."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from assets.validated.suites import ExpectationResult

MIN_ROWS = 20
"""Fewest rows of a source for which a failure rate is meaningful."""


@dataclass(frozen=True)
class FailureRate:
    """Failures of one source for one expectation.

    Attributes:
        evaluated: number of the source's rows to which the expectation applies.
        failing: numbers of the failing rows, ascending.
    """

    source: str
    evaluated: int
    failing: Sequence[int]

    def exceeds(self, bound: float) -> bool:
        """Return whether the rate exceeds a bound, in a source with enough rows."""
        return self.evaluated >= MIN_ROWS and len(self.failing) > bound * self.evaluated


def compute_failure_rates(result: ExpectationResult, frame: pd.DataFrame) -> list[FailureRate]:
    """Compute the failure rate of each source with failing rows, by name. Images have none, as sources share them.

    Args:
        frame: the evaluated rows, built by :func:`assets.validated.columns.build_frame`.
    """
    if not result.failing or result.expectation.suite == "images":
        return []
    sources = frame["name"].str.partition(":")[0]
    applies = frame[result.expectation.column].notna()
    applies.loc[list(result.failing)] = True  # the expectation may require a value
    evaluated = sources[applies].value_counts() if result.evaluated < len(frame) else sources.value_counts()
    failing = sources.loc[list(result.failing)]
    return [
        FailureRate(str(source), int(evaluated[source]), [int(row) for row in rows])
        for source, rows in sorted(failing.groupby(failing).groups.items())
    ]
