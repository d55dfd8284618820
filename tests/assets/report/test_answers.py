"""How well the assistant answers, from the tables of the evaluation."""

import shutil
from pathlib import Path

import pytest

from assets.report.charts.svg import readable
from assets.report.stage import report
from heddle.core.stage import write_json
from tests.support.report_page import Page, read_page
from tests.support.small_language import RIGHT
from tests.support.small_project import HOSTILE, run

NAMES = dict(zip(RIGHT, ("no guide", "guides found", "the right guide"), strict=True))


@pytest.fixture(scope="module")
def section(page: Page) -> str:
    return page.section("Answering", "Lineage")


def test_each_kind_of_guides_has_its_share_of_right_answers_and_both_perplexities(section: str) -> None:
    assert "16 conversations of the test split" in section
    assert "90 % interval" in section
    for shown, right in RIGHT.items():
        interval = f"{readable(right - 0.03)} \N{EN DASH} {readable(right + 0.03)}"
        assert f"{NAMES[shown]} {readable(right)} {interval} 0.500 241.5 60.38 12.50 0.250" in section


def test_what_would_be_said_stands_beside_the_bands(section: str) -> None:
    assert "75.0 % of these questions, 81.2 % of them right" in section
    assert "high 0 medium 12 0.750 low 4 0.250" in section


def test_examples_show_question_guide_answer_reference_and_verdict(section: str) -> None:
    first = section.partition("My chair wobbles.")[2].partition(HOSTILE + " Reference")[0]
    assert (
        first.split()
        == (
            "Reference: Glue it. no guide ✗ wrong Said without_guides. "
            f"guides found ✗ wrong Said with_guides. Mending {HOSTILE} "
            f"the right guide ✓ right Said with_source. Mending {HOSTILE}"
        ).split()
    )
    second = section.partition(HOSTILE + " Reference")[2]
    assert "right guide" in second
    assert "✓" not in second  # its reference has no steps to judge by
    assert "✗" not in second


def test_an_evaluation_without_numbers_says_so(project: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(project, tmp_path / "project"))
    shutil.rmtree(folder / "data/assistant_evaluation")
    (folder / "data/assistant_evaluation").mkdir()
    write_json(folder / "data/assistant_evaluation/metrics.json", {"test_conversations": 1})
    run(report, folder)
    section = read_page(folder).section("Answering", "Lineage")
    assert "1 conversation of the test split" in section
    assert "The evaluation reports no numbers." in section
    assert "The evaluation kept no examples." in section
    assert "keep silent" not in section
