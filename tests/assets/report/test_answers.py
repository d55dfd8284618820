"""The section of the assistant: answers with and without guides."""

import shutil
from pathlib import Path

import pytest

from assets.report.charts.svg import readable
from assets.report.stage import report
from heddle.core.stage import write_json
from tests.support.report_page import Page, read_page
from tests.support.small_language import BASE_STEP_ACCURACY, STEP_ACCURACY
from tests.support.small_project import HOSTILE, run

NAMES = dict(zip(STEP_ACCURACY, ("no guide", "retrieved guides", "the right guide"), strict=True))


@pytest.fixture(scope="module")
def section(page: Page) -> str:
    return page.section("assistant")


def test_answers_table_shows_accuracy_and_perplexity(section: str) -> None:
    assert "Measured on 16 conversations of the test split." in section
    assert "95 % interval correct, base step recall perplexity, base perplexity, tuned BLEU ROUGE-L" in section
    for system, value in STEP_ACCURACY.items():
        interval = f"{readable(value - 0.03)} \N{EN DASH} {readable(value + 0.03)}"
        others = f"{readable(BASE_STEP_ACCURACY)} 0.500 241.5 60.38 12.50 0.250"
        assert f"{NAMES[system]} {readable(value)} {interval} {others}" in section


def test_answers_abstention_shows_bands_and_answered_share(section: str) -> None:
    assert "75.0 % of these questions, 81.2 % of them correctly" in section
    assert "high 0 medium 12 0.750 low 4 0.250" in section


def test_answers_examples_show_guide_reference_and_verdict(section: str) -> None:
    first = section.partition("My chair wobbles.")[2].partition(HOSTILE + " Reference")[0]
    assert (
        first.split()
        == (
            "Reference: Glue it. no guide ✗ wrong Answer of no_context. "
            f"retrieved guides ✗ wrong Answer of retrieved_context. Mending {HOSTILE} "
            f"the right guide ✓ correct Answer of oracle_context. Mending {HOSTILE}"
        ).split()
    )
    second = section.partition(HOSTILE + " Reference")[2]
    assert "right guide" in second
    assert "✓" not in second  # its reference has no steps to compare with
    assert "✗" not in second


def test_answers_without_metrics_say_what_is_missing(project: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(project, tmp_path / "project"))
    shutil.rmtree(folder / "data/assistant_evaluation")
    (folder / "data/assistant_evaluation").mkdir()
    write_json(folder / "data/assistant_evaluation/metrics.json", {"test_conversations": 1})
    run(report, folder)
    section = read_page(folder).section("assistant")
    assert "Measured on 1 conversation of the test split." in section
    assert "The evaluation reports no metrics." in section
    assert "The evaluation wrote no examples." in section
    assert "Abstention" not in section
