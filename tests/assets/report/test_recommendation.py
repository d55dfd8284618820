"""The section of the recommender and its graph."""

from pathlib import Path

import pytest

from assets.report.charts.scatter import scatter
from assets.report.charts.svg import readable
from heddle.core.schemas import read_rows
from heddle.core.stage import read_json
from heddle.evaluation.metric_tree import find
from tests.support.report_page import Page
from tests.support.small_graph import NO_GRAPH
from tests.support.small_project import HOSTILE

COLUMNS = ("auroc", "average_precision", "ndcg_at_10", "hits_at_10", "precision_at_10", "mrr", "coverage")
BASELINES = ("popularity", "common_neighbours", "adamic_adar", "text_similarity")


def test_recommender_table_shows_systems_and_intervals(page: Page, project: Path) -> None:
    metrics = read_json(project / "data/recommender_evaluation/metrics.json")
    words = page.section("recommender")
    own = []
    for column in COLUMNS:
        metric = find(metrics, f"graph.{column}")
        assert metric
        own.append(readable(metric.value))
        if metric.interval:
            own.append(" \N{EN DASH} ".join(map(readable, metric.interval)))
    assert f" recommender {' '.join(own)} " in words
    for system in BASELINES:
        values = (find(metrics, f"{system}.{column}") for column in COLUMNS)
        row = " ".join(readable(metric.value) for metric in values if metric)
        assert f" {system.replace('_', ' ')} {row} " in words
    counts = f"{metrics['test_edges']} test edges against as many negative pairs"
    assert f"{counts}; ranked lists for {metrics['queries']} nodes." in words


def test_recommender_shows_statistics_map_and_examples(page: Page, project: Path) -> None:
    statistics = read_json(project / "data/graph/statistics.json")
    words = page.section("recommender")
    assert f"diameter, edges at least {statistics['numbers']['diameter']}" in words
    assert "Node embeddings, first two principal components" in words
    for row in read_rows(project / "data/recommender_evaluation/examples.parquet"):
        assert row["query"] in words
        assert all(hit["text"] in words for hit in row["hits"])
    assert HOSTILE in words  # the text of the most central node


def test_recommender_without_a_graph_shows_the_reason(bare: Page) -> None:
    for words in (bare.head, bare.section("training"), bare.section("recommender")):
        assert words.count(NO_GRAPH) == 1
    assert bare.words.count(NO_GRAPH) == 3


@pytest.mark.parametrize("points", [[(0.0, 0.0, "a")], [(1.0, 2.0, "a"), (3.0, 2.0, "<b>")]])
def test_scatter_of_few_points_draws_all_of_them(points: list[tuple[float, float, str]]) -> None:
    drawn = str(scatter("map", {"item": points}))
    assert drawn.count("<circle") == len(points)
    assert "<b>" not in drawn.replace("<b>map</b>", "")
    assert "NaN" not in drawn
