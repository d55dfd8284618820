"""Check the expectations of one table with Great Expectations, in memory, without project folder and telemetry."""

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
class ExpectationResult:
    """Result of one expectation.

    Attributes:
        bound: largest share of failing rows with which the run continues.
        passed: whether the share of failing rows is within the bound.
        evaluated: number of rows to which the expectation applies.
        failing: numbers of the failing rows, ascending.
    """

    expectation: Expectation
    bound: float
    passed: bool
    evaluated: int
    failing: Sequence[int]


def _get_name(found: gx.core.ExpectationValidationResult) -> str:
    configuration = found.expectation_config
    if configuration is None or configuration.meta is None:
        raise RuntimeError(f"Great Expectations returned an expectation without a name: {found}")
    return str(configuration.meta["name"])


class Suites:
    """Great Expectations in an ephemeral context."""

    def __init__(self, bounds: Mapping[str, float]) -> None:
        self._bounds = bounds
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = ProgressBarsConfig(globally=False)

    def check(
        self, suite: str, frame: pd.DataFrame
    ) -> tuple[list[ExpectationResult], ExpectationSuiteValidationResult]:
        """Check a table; return the results in the declared order, and the validation result for Data Docs.

        Args:
            frame: rows of the table, built by :func:`assets.validated.columns.build_frame`.
        """
        declared = expectations_of(suite)
        asset = self._context.data_sources.add_pandas("catalog").add_dataframe_asset(name=suite)
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
        result = batch.validate(
            gx.ExpectationSuite(name=suite, expectations=[self._build_rule(each) for each in declared]),
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["row", "name"]},
        )
        self._context.data_sources.delete("catalog")  # the data source would keep the frame in memory
        found = {_get_name(each): each for each in result.results}
        return [self._convert(each, found[each.name]) for each in declared], result

    def _build_rule(self, expectation: Expectation) -> rules.Expectation:
        name, arguments = expectation.rule, expectation.arguments
        if name is None:
            name, arguments = "ExpectColumnValuesToBeInSet", {"column": expectation.name, "value_set": [True]}
        return getattr(rules, name)(
            **arguments,
            mostly=1 - self._get_bound(expectation),
            description=f"{expectation.name}: {expectation.description}",
            meta={"name": expectation.name},
        )

    def _convert(self, expectation: Expectation, found: gx.core.ExpectationValidationResult) -> ExpectationResult:
        if found.exception_info and found.exception_info.get("raised_exception"):
            raise RuntimeError(f"{expectation.name}: {found.exception_info['exception_message']}")
        result = found.result
        failing = sorted(int(each["row"]) for each in result["unexpected_index_list"] or ())
        # Rules skip nulls, except the rule about nulls, which counts no row as missing.
        evaluated = int(result["element_count"]) - int(result.get("missing_count") or 0)
        return ExpectationResult(expectation, self._get_bound(expectation), bool(found.success), evaluated, failing)

    def _get_bound(self, expectation: Expectation) -> float:
        return self._bounds.get(expectation.name, expectation.bound)
