"""Run the expectations on one table with Great Expectations, in memory: no project folder, no telemetry."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when great_expectations is imported

import great_expectations as gx
import great_expectations.expectations as rules
import pandas as pd
from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.data_context.types.base import ProgressBarsConfig

from heddle.validation.expectations import Expectation, expectations_of


@dataclass(frozen=True)
class Outcome:
    """What one expectation found.

    Attributes:
        evaluated: rows that it applies to.
        failing: numbers of the rows that fail, ascending.
    """

    expectation: Expectation
    bound: float
    passed: bool
    evaluated: int
    failing: Sequence[int]


def _name(found: gx.core.ExpectationValidationResult) -> str:
    configuration = found.expectation_config
    if configuration is None or configuration.meta is None:
        raise RuntimeError(f"Great Expectations lost the name of an expectation: {found}")
    return str(configuration.meta["name"])


class Suites:
    """Great Expectations in an ephemeral context."""

    def __init__(self, bounds: Mapping[str, float]) -> None:
        self._bounds = bounds
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = ProgressBarsConfig(globally=False)

    def check(self, suite: str, frame: pd.DataFrame) -> tuple[list[Outcome], ExpectationSuiteValidationResult]:
        """The outcome of each expectation on the table, in the declared order, and what Data Docs are made of.

        Args:
            frame: one line for each row, as `assets.validated.columns.frame` makes it.
        """
        declared = expectations_of(suite)
        asset = self._context.data_sources.add_pandas("catalog").add_dataframe_asset(name=suite)
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
        result = batch.validate(
            gx.ExpectationSuite(name=suite, expectations=[self._rule(each) for each in declared]),
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["row", "name"]},
        )
        self._context.data_sources.delete("catalog")  # which would keep the frame
        found = {_name(each): each for each in result.results}
        return [self._outcome(each, found[each.name]) for each in declared], result

    def _rule(self, expectation: Expectation) -> rules.Expectation:
        name, arguments = expectation.rule, expectation.arguments
        if name is None:
            name, arguments = "ExpectColumnValuesToBeInSet", {"column": expectation.name, "value_set": [True]}
        return getattr(rules, name)(
            **arguments,
            mostly=1 - self._bound(expectation),
            description=f"{expectation.name}: {expectation.description}",
            meta={"name": expectation.name},
        )

    def _outcome(self, expectation: Expectation, found: gx.core.ExpectationValidationResult) -> Outcome:
        if found.exception_info and found.exception_info.get("raised_exception"):
            raise RuntimeError(f"{expectation.name}: {found.exception_info['exception_message']}")
        result = found.result
        failing = sorted(int(each["row"]) for each in result["unexpected_index_list"] or ())
        # Rules skip nulls, all but the one that asks for them, which counts none as missing.
        evaluated = int(result["element_count"]) - int(result.get("missing_count") or 0)
        return Outcome(expectation, self._bound(expectation), bool(found.success), evaluated, failing)

    def _bound(self, expectation: Expectation) -> float:
        return self._bounds.get(expectation.name, expectation.bound)
