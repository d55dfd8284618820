"""The page's section on the graph and its recommender."""

from pathlib import Path

import pytest

from assets.report.charts.scatter import scatter
from assets.report.charts.svg import readable
from heddle.core.schemas import read_rows
from heddle.core.stage import read_json
from tests.support.report_page import Page
from tests.support.small_graph import NO_GRAPH
from tests.support.small_project import HOSTILE


def test_the_table_holds_every_system_and_the_intervals(page: Page, project: Path) -> None:
    numbers = read_json(project / "data/recommender_evaluation/metrics.json")
    for name in ("auc", "average_precision", "ndcg_at_10", "mrr", "coverage", "auc_low", "auc_high"):
        assert readable(numbers[name]) in page.words
    for system in ("popularity", "common neighbours", "adamic adar", "text similarity"):
        assert system in page.words


def test_statistics_map_and_examples_are_shown(page: Page, project: Path) -> None:
    told = read_json(project / "data/graph/statistics.json")
    assert f"diameter, edges at least {told['numbers']['diameter']}" in page.words
    assert "Where the nodes lie" in page.words
    for row in read_rows(project / "data/recommender_evaluation/examples.parquet"):
        assert row["query"] in page.words
        assert all(hit["text"] in page.words for hit in row["hits"])
    assert HOSTILE in page.words  # the text of the most central node


def test_without_a_graph_the_section_says_why(bare: Page) -> None:
    assert bare.words.count(NO_GRAPH) == 3  # summary, training, recommendation


@pytest.mark.parametrize("points", [[(0.0, 0.0, "a")], [(1.0, 2.0, "a"), (3.0, 2.0, "<b>")]])
def test_a_map_of_few_points_is_drawn_inside_its_frame(points: list[tuple[float, float, str]]) -> None:
    drawn = str(scatter("map", {"item": points}))
    assert drawn.count("<circle") == len(points)
    assert "<b>" not in drawn.replace("<b>map</b>", "")
    assert "NaN" not in drawn
