"""The section of the reranker: retrieval of guides by every configuration."""

import csv
import shutil
from pathlib import Path

import pytest

from assets.report.charts.svg import readable
from assets.report.stage import report
from heddle.core.csv_file import write_csv
from heddle.core.skipped import write_skipped
from heddle.core.stage import read_json, write_json
from tests.support.report_page import Page, read_page
from tests.support.small_language import METRICS, NO_RERANKER, SYSTEMS
from tests.support.small_project import HOSTILE, run


@pytest.fixture(scope="module")
def section(page: Page) -> str:
    return page.section("reranker")


@pytest.fixture
def copied(project: Path, tmp_path: Path) -> Path:
    """A copy of the project, whose evaluation of retrieval a test may change."""
    return Path(shutil.copytree(project, tmp_path / "project"))


def test_guides_charts_and_table_show_every_configuration(page: Page, section: str) -> None:
    assert "Measured with 10 questions with relevance judgements over 2 guides." in section
    assert "1 question without a relevant guide was skipped." in section
    labels = [one["aria-label"] or "" for one in page.attributes("svg")]
    (values,) = [label for label in labels if label.startswith("NDCG@10 by configuration.")]
    (deltas,) = [label for label in labels if label.startswith("Difference from rrf.")]
    for system, value in SYSTEMS.items():
        name = system.replace("_", ", ")
        assert f"{name}: {readable(value)}, {readable(value - 0.05)} to {readable(value + 0.05)}" in values
        assert f" {name} " + f"{readable(value)} " * len(METRICS) in section
    assert "rrf, expanded: 0.113, -0.200 to 0.150" in deltas
    assert "rrf: 0.000, 0.000 to 0.000" in deltas


def test_guides_terms_explain_only_those_that_occur(section: str) -> None:
    for term in (
        "dense : vector similarity",
        "bm25 : keyword search",
        "rrf : both rankings",
        "expanded : with query expansion",
        "reranked : first guides reordered",
    ):
        assert term in section
    assert "There is no reranker" not in section
    assert "weighted" not in section


def test_guides_bands_show_counts_and_empty_bands(section: str) -> None:
    assert "above 0.3 is high, below 0.1 is low" in section
    assert "rrf, expanded none 0.857 of 7 0.000 of 3" in section


def test_guides_examples_mark_the_relevant_hits(section: str) -> None:
    found = section.partition("what can an old vase become")[2]
    first = found.partition(HOSTILE + " dense")[0]
    dense, sparse, rrf, reranked = first.split("NDCG@10 0.812, medium confidence")[1:]
    for words in (dense, rrf, reranked):
        assert "Turn a vase into a lantern ✓" in words
        assert f"{HOSTILE} About vases." in words  # not relevant, and one without a title
    assert sparse.split()[0] == "nothing"
    assert f" {HOSTILE} dense" in found  # the second question


def test_guides_without_a_reranker_show_the_reason(copied: Path) -> None:
    write_skipped(copied / "data/reranker", NO_RERANKER)
    folder = copied / "data/retrieval_evaluation/plots"
    for name in ("retrieval", "bands"):
        with (folder / f"{name}.csv").open() as file:
            header, *rows = list(csv.reader(file))
        write_csv(folder / f"{name}.csv", header, [row for row in rows if row[0] != "rrf_reranked"])
    metrics = read_json(copied / "data/retrieval_evaluation/metrics.json")
    del metrics["rrf_reranked"]
    write_json(copied / "data/retrieval_evaluation/metrics.json", metrics)
    run(report, copied)
    page = read_page(copied)
    section = page.section("reranker")
    assert f"There is no reranker. {NO_RERANKER}" in section
    assert f"NDCG@10, RRF {readable(SYSTEMS['rrf'])}" in page.head
    assert "RRF reranked" not in page.head
    assert "rrf, expanded none" in section
    assert "reranked :" not in section


def test_guides_without_tables_say_what_is_missing(copied: Path) -> None:
    folder = copied / "data/retrieval_evaluation"
    shutil.rmtree(folder)
    folder.mkdir()
    write_json(folder / "metrics.json", {"guides": 2, "queries": 1})
    run(report, copied)
    section = read_page(copied).section("reranker")
    assert "Measured with 1 question with relevance judgements" in section
    assert "The evaluation wrote no table of configurations." in section
    assert "The evaluation wrote no examples." in section
