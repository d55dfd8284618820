"""The evaluation of the recommender: its systems against networkx, its measures against scikit-learn and by hand."""

import shutil
from pathlib import Path

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from assets.graph.statistics import adjacency
from assets.recommender.evaluate.queries import Query, draw_queries, ranked
from assets.recommender.evaluate.result import evaluate_system
from assets.recommender.evaluate.stage import COLUMNS, recommender_evaluation
from assets.recommender.evaluate.systems import adamic_adar, common_neighbours, dot_product, popularity, text_similarity
from heddle.core.schemas import read_rows
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.stage import read_json, write_json
from heddle.evaluation.metric_tree import flat_values
from heddle.evaluation.parameters import BootstrapParameters
from heddle.graph.neighbours import Neighbours
from heddle.graph.tables import CatalogGraph
from heddle.metrics import compute
from heddle.metrics.auroc import Auroc, auroc_interval
from heddle.metrics.bootstrap import ConfidenceInterval
from heddle.metrics.pair_average_precision import PairAveragePrecision
from tests.support.small_graph import NO_GRAPH, made, shop_rows
from tests.support.small_project import contents, run, write_project

NODES = 8
pairs = st.lists(st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1)).filter(lambda e: e[0] != e[1]))
scored = st.lists(st.tuples(st.integers(-50, 50), st.booleans()), min_size=4, max_size=40).filter(
    lambda rows: 1 < sum(label for _, label in rows) < len(rows) - 1
)


@given(pairs.filter(len))
def test_baselines_score_as_in_networkx(edges: list[tuple[int, int]]) -> None:
    oracle = networkx.Graph(edges)
    oracle.add_nodes_from(range(NODES))
    matrix = adjacency(np.array(edges), NODES)
    asked = [(a, b) for a in range(NODES) for b in range(NODES) if a != b]
    expected = {
        popularity: [score for _, _, score in networkx.preferential_attachment(oracle, asked)],
        adamic_adar: [score for _, _, score in networkx.adamic_adar_index(oracle, asked)],
        common_neighbours: [len(list(networkx.common_neighbors(oracle, a, b))) for a, b in asked],
    }
    for system, scores in expected.items():
        assert system(matrix)(np.array(asked)).tolist() == pytest.approx(scores), system


@given(pairs.filter(len))
def test_shared_neighbours_are_those_of_networkx_rarest_first(edges: list[tuple[int, int]]) -> None:
    oracle, found = networkx.MultiGraph(edges), Neighbours(np.array(edges), NODES)
    oracle.add_nodes_from(range(NODES))
    shared = found.shared(0, 1)
    assert set(shared) == set(oracle.neighbors(0)) & set(oracle.neighbors(1))
    degrees = [oracle.degree(node) for node in shared]
    assert degrees == sorted(degrees)


def test_text_similarity_is_the_cosine_and_0_without_text() -> None:
    features = np.array([[3, 4], [4, 3], [0, 0]], np.float32)
    assert text_similarity(features)(np.array([[0, 1], [0, 2]])).tolist() == pytest.approx([0.96, 0])


@given(scored)
def test_auroc_and_average_precision_are_those_of_scikit_learn(rows: list[tuple[int, bool]]) -> None:
    scores, labels = [float(score) for score, _ in rows], [int(label) for _, label in rows]
    found = compute(Auroc, predictions=scores, references=labels)["auroc"]
    assert found == pytest.approx(roc_auc_score(labels, scores), abs=1e-6)
    found = compute(PairAveragePrecision, predictions=scores, references=labels)["average_precision"]
    assert found == pytest.approx(average_precision_score(labels, scores), abs=1e-6)


@given(scored)
def test_auroc_interval_is_that_of_delong(rows: list[tuple[int, bool]]) -> None:
    ups = np.array([score for score, label in rows if label], float)
    downs = np.array([score for score, label in rows if not label], float)
    wins = (ups[:, None] > downs) + 0.5 * (ups[:, None] == downs)  # the kernel of Mann and Whitney
    spread = np.sqrt(wins.mean(axis=1).var(ddof=1) / len(ups) + wins.mean(axis=0).var(ddof=1) / len(downs))
    low, high = auroc_interval(ups, downs, 0.95)
    assert low == pytest.approx(max(0, wins.mean() - 1.959964 * spread), abs=1e-6)
    assert high == pytest.approx(min(1, wins.mean() + 1.959964 * spread), abs=1e-6)


def test_auroc_interval_with_one_positive_is_refused() -> None:
    with pytest.raises(ValueError, match="1 positives and 2 negatives: two of each are needed"):
        auroc_interval(np.ones(1), np.zeros(2), 0.95)


@pytest.fixture(scope="module")
def shop() -> CatalogGraph:
    return made(*shop_rows())


def test_candidates_have_the_right_type_and_no_known_edge(shop: CatalogGraph) -> None:
    known = {tuple(pair) for pair in shop.predicted("train", "validation").tolist()}
    test = {tuple(pair) for pair in shop.predicted("test").tolist()}
    asked = draw_queries(shop, 1000)
    assert {query.source for query in asked} == {source for source, _ in test}
    for query in asked:
        products = {node for node, kind in enumerate(shop.types) if kind == "product"}
        assert set(query.candidates.tolist()) == products - {b for a, b in known if a == query.source}
        assert query.relevant == {b for a, b in test if a == query.source} <= set(query.candidates.tolist())
    some = draw_queries(shop, 5)
    assert len(some) == 5
    assert {query.source for query in some} < {query.source for query in asked}


def test_relevant_candidates_are_ranked_last_among_ties() -> None:
    query = Query(0, np.array([1, 2, 3]), frozenset({1}))
    assert ranked(query, lambda of: np.zeros(len(of)), 3)[0].tolist() == [2, 3, 1]
    assert ranked(query, lambda of: (of[:, 1] == 1).astype(float), 3)[0].tolist() == [1, 2, 3]


def test_perfect_system_scores_1_and_its_reverse_0(shop: CatalogGraph) -> None:
    right = {tuple(pair) for pair in shop.predicted("test").tolist()}
    edges, others, asked = shop.predicted("test"), shop.negatives["test"], draw_queries(shop, 1000)
    interval = ConfidenceInterval(BootstrapParameters(samples=100), 1)

    def knows(of: np.ndarray) -> np.ndarray:
        return np.array([tuple(pair) in right for pair in of.tolist()], float)

    values = flat_values(evaluate_system("knows", knows, edges, others, asked, interval).metrics)
    assert [values[name] for name in ("auroc", "average_precision", "ndcg_at_10", "hits_at_10", "mrr")] == [1.0] * 5
    assert values["precision_at_10"] == pytest.approx(np.mean([min(10, len(query.relevant)) / 10 for query in asked]))
    values = flat_values(evaluate_system("reversed", lambda of: -knows(of), edges, others, asked, interval).metrics)
    assert values["auroc"] == 0
    assert values["mrr"] < 0.1


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("recommender_evaluation") / "project")


def test_table_has_all_systems_and_agrees_with_the_metrics(project: Path) -> None:
    folder = project / "data/recommender_evaluation"
    metrics = read_json(folder / "metrics.json")
    header, *rows = [line.split(",") for line in (folder / "plots/systems.csv").read_text().splitlines()]
    assert header == ["system", *COLUMNS]
    names = ["graph", "popularity", "common_neighbours", "adamic_adar", "text_similarity"]
    assert [row[0] for row in rows] == names
    values = flat_values(metrics["graph"])
    assert [float(cell) for cell in rows[0][1:]] == pytest.approx([values[name] for name in COLUMNS], abs=1e-6)
    auroc = metrics["graph"]["auroc"]
    assert auroc["low"] <= auroc["value"] <= auroc["high"]
    assert auroc["chance"] == 0.5
    assert metrics["popularity"]["auroc"]["value"] == pytest.approx(float(rows[1][1]), abs=1e-6)
    curve = [line.split(",") for line in (folder / "plots/roc.csv").read_text().splitlines()[1:]]
    points = np.array([(float(x), float(y)) for name, x, y in curve if name == "graph"])
    assert (np.diff(points, axis=0) >= 0).all()
    assert points[-1].tolist() == [1, 1]
    assert len((folder / "plots/map.csv").read_text().splitlines()) == 31
    examples = read_rows(folder / "examples.parquet")
    assert [len(row["hits"]) for row in examples] == [5, 5]


def test_known_upper_bound_is_part_of_the_metric(project: Path, tmp_path: Path) -> None:
    metrics = read_json(project / "data/recommender_evaluation/metrics.json")
    assert "upper_bound" not in metrics["graph"]["auroc"]
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    write_json(folder / "data/catalog/upper_bounds.json", {"link_prediction_auroc": 0.9})
    assert run(recommender_evaluation, folder, "again")["graph"]["auroc"]["upper_bound"] == 0.9


def test_the_same_input_gives_the_same_bytes(project: Path) -> None:
    run(recommender_evaluation, project, "recommender_evaluation_again")
    again = contents(project / "data/recommender_evaluation_again")
    assert again == contents(project / "data/recommender_evaluation")


def test_evaluation_without_model_or_test_edges_is_skipped(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    graph = CatalogGraph.open(folder / "data/graph")
    bare = CatalogGraph(**{**vars(graph), "parts": np.where(graph.parts == "test", "train", graph.parts)})
    bare.save(folder / "data/graph")
    assert run(recommender_evaluation, folder, "without_test")["test_edges"] == 0
    reason = skip_reason(folder / "data/without_test") or ""
    assert reason == "data/graph has no test edges or no negatives; add edges or raise graph.split.test"
    shutil.rmtree(folder / "data/recommender")
    (folder / "data/recommender").mkdir()
    write_skipped(folder / "data/recommender", NO_GRAPH)
    run(recommender_evaluation, folder, "without_model")
    assert skip_reason(folder / "data/without_model") == NO_GRAPH


def test_dot_product_is_that_of_the_node_vectors() -> None:
    vectors = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    asked = np.array([[0, 1], [2, 3]])
    expected = [float(vectors[a] @ vectors[b]) for a, b in asked.tolist()]
    assert dot_product(vectors)(asked).tolist() == pytest.approx(expected, abs=1e-5)
    assert dot_product(vectors)(np.zeros((0, 2), np.int64)).shape == (0,)
