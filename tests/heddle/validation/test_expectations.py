"""The expectations as data: names, rules and bounds hang together, and reading them loads nothing heavy."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from heddle.core.parameters.section import ParameterError, load
from heddle.core.schemas import TABLES
from heddle.validation.expectations import EXPECTATIONS, SUITES, expectations_of
from heddle.validation.parameters import ValidatedParameters

ROOT = Path(__file__).parents[3]


def test_names_are_unique_and_could_be_names_of_checks() -> None:
    assert max(Counter(each.name for each in EXPECTATIONS).values()) == 1
    assert all(each.name.replace("_", "").isalnum() and each.name.islower() for each in EXPECTATIONS)


def test_every_table_has_a_suite_and_every_suite_an_expectation() -> None:
    assert set(SUITES) == set(TABLES)
    assert [each for suite in SUITES for each in expectations_of(suite)] == list(EXPECTATIONS)
    assert all(expectations_of(suite) for suite in SUITES)


def test_bounds_are_shares() -> None:
    assert all(0 <= each.bound < 0.5 for each in EXPECTATIONS)


def test_reading_them_loads_no_great_expectations() -> None:
    code = (
        "import sys, heddle.validation.expectations, heddle.validation.parameters;"
        "sys.exit('great_expectations' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("{bounds: {titel_present: 0.1}}", "unknown expectation titel_present; allowed: answers_differ"),
        ("{bounds: {title_present: 1.5}}", "validated.bounds.title_present: found 1.5"),
    ],
)
def test_wrong_bounds_are_named(tmp_path: Path, section: str, message: str) -> None:
    (tmp_path / "scales").mkdir()
    (tmp_path / "scales/smoke.yaml").write_text("{}\n")
    (tmp_path / "params.yaml").write_text(f"scale: smoke\nvalidated: {section}\n")
    with pytest.raises(ParameterError) as caught:
        load("validated", ValidatedParameters, tmp_path)
    assert message in str(caught.value)
