"""How well guides are found, from the tables of the evaluation."""

import csv
import shutil
from pathlib import Path

import pytest

from assets.report.charts.svg import readable
from assets.report.stage import report
from heddle.core.csv_file import write_csv
from heddle.core.skipped import write_skipped
from heddle.core.stage import write_json
from tests.support.report_page import Page, read_page
from tests.support.small_language import METRICS, NO_RERANKER, SYSTEMS
from tests.support.small_project import HOSTILE, run


@pytest.fixture(scope="module")
def section(page: Page) -> str:
    return page.section("Finding guides", "Answering")


@pytest.fixture
def copied(project: Path, tmp_path: Path) -> Path:
    """A copy of which the evaluation of retrieval may be changed."""
    return Path(shutil.copytree(project, tmp_path / "project"))


def test_every_way_stands_in_charts_and_table_with_its_numbers(page: Page, section: str) -> None:
    assert "10 questions whose answers are known, put to 2 guides" in section
    assert "1 question more that no guide answers" in section
    labels = [one["aria-label"] or "" for one in page.attributes("svg")]
    (values,) = [label for label in labels if label.startswith("NDCG@10 of every way.")]
    (over,) = [label for label in labels if label.startswith("Difference from rrf.")]
    for way, value in SYSTEMS.items():
        name = way.replace("_", ", ")
        assert f"{name}: {readable(value)}, {readable(value - 0.05)} to {readable(value + 0.05)}" in values
        assert f" {name} " + f"{readable(value)} " * len(METRICS) in section
    assert "rrf, expanded: 0.113, -0.200 to 0.150" in over
    assert "rrf: 0.000, 0.000 to 0.000" in over


def test_only_terms_that_occur_are_explained(section: str) -> None:
    for term in ("dense : by meaning", "bm25 : by words", "rrf : both", "expanded : with words", "reranked : its"):
        assert term in section
    assert "There is no reranker" not in section
    assert "weighted" not in section


def test_bands_have_counts_and_an_empty_one_says_so(section: str) -> None:
    assert "confidence above 0.3 is high, below 0.1 low" in section
    assert "rrf, expanded none 0.857 of 7 0.000 of 3" in section


def test_questions_show_what_ways_find_with_the_right_ones_marked(section: str) -> None:
    found = section.partition("what can an old vase become")[2]
    first = found.partition(HOSTILE + " dense")[0]
    dense, sparse, rrf, reranked = first.split("NDCG@10 0.812, medium confidence")[1:]
    for words in (dense, rrf, reranked):
        assert "Turn a vase into a lantern ✓" in words
        assert f"{HOSTILE} About vases." in words  # not right, and one without a title
    assert sparse.split()[0] == "nothing"
    assert f" {HOSTILE} dense" in found  # the second question


def test_without_a_reranker_no_way_is_reranked_and_the_reason_is_said(copied: Path) -> None:
    write_skipped(copied / "data/reranker", NO_RERANKER)
    folder = copied / "data/retrieval_evaluation/plots"
    for name in ("retrieval", "bands"):
        with (folder / f"{name}.csv").open() as file:
            header, *rows = list(csv.reader(file))
        write_csv(folder / f"{name}.csv", header, [row for row in rows if row[0] != "rrf_reranked"])
    run(report, copied)
    section = read_page(copied).section("Finding guides", "Answering")
    assert f"There is no reranker. {NO_RERANKER}" in section
    assert "rrf, expanded none" in section
    assert "reranked :" not in section


def test_numbers_without_tables_and_examples_say_what_is_missing(copied: Path) -> None:
    folder = copied / "data/retrieval_evaluation"
    shutil.rmtree(folder)
    folder.mkdir()
    write_json(folder / "metrics.json", {"guides": 2, "queries": 1})
    run(report, copied)
    section = read_page(copied).section("Finding guides", "Answering")
    assert "1 question whose answers" in section
    assert "The evaluation kept no table of the ways." in section
    assert "The evaluation kept no examples." in section
