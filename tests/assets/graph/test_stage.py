"""The graph: splits that leak nothing, statistics against networkx, and every kind of graph that a user may bring."""

from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from sklearn.decomposition import PCA
from torch_geometric.utils import homophily

from assets.graph.stage import graph
from assets.graph.statistics import adjacency, betweenness, diameter, statistics
from assets.recommender.evaluate.stage import recommender_evaluation
from assets.recommender.train.stage import recommender
from assets.validated.stage import validated
from heddle.core.parameters.shared import Split
from heddle.core.schemas import EDGES, QUARANTINE, write_table
from heddle.core.skipped import skip_reason
from heddle.core.splits import SPLITS
from heddle.core.stage import StageError, read_json, write_json
from heddle.graph.edges import assign_parts, edge_indices, sample_negatives
from heddle.graph.features import Projection
from heddle.graph.tables import HELD_OUT, INDUCTIVE, LISTING, CatalogGraph
from lightning_modules.negatives.negatives import Pairs, pair_keys
from tests.support.small_graph import SECTION, made, shop_rows, write_tables
from tests.support.small_project import contents, run
from tests.support.tiny_sentences import write_sentence_encoder

NODES = 9
IDS = [f"n{number}" for number in range(NODES)]
SPLIT = Split(validation=0.3, test=0.3)
RELATIONS = ("becomes", "suits", "made_of")

edge_lists = st.lists(
    st.tuples(st.integers(0, NODES - 1), st.sampled_from(RELATIONS), st.integers(0, NODES - 1)).filter(
        lambda edge: edge[0] != edge[2]
    ),
    max_size=40,
)


def arrays(edges: list[tuple[int, str, int]]) -> tuple[Pairs, list[str]]:
    pairs = np.array([(source, target) for source, _, target in edges], np.int64).reshape(-1, 2)
    return pairs, [relation for _, relation, _ in edges]


def keys(pairs: Pairs) -> set[int]:
    return set(pair_keys(pairs, NODES).tolist())


@given(edge_lists, st.sampled_from([None, ("becomes",), ("becomes", "suits")]))
def test_no_message_passes_where_an_edge_is_held_out(
    edges: list[tuple[int, str, int]], predicted: tuple[str, ...] | None
) -> None:
    pairs, relations = arrays(edges)
    parts = assign_parts(pairs, relations, IDS, predicted, SPLIT)
    held_out = np.isin(parts.astype(str), HELD_OUT)
    assert not keys(pairs[held_out]) & keys(pairs[~held_out])  # neither a twin nor another relation tells
    of_pair: dict[int, set[str]] = {}
    for key, part in zip(pair_keys(pairs, NODES).tolist(), parts.tolist(), strict=True):
        of_pair.setdefault(key, set()).add(part)
    assert all(len(found) == 1 for found in of_pair.values())
    for relation, part in zip(relations, parts, strict=True):
        assert part in SPLITS or (predicted is not None and relation not in predicted)


@given(edge_lists, edge_lists)
def test_growth_moves_no_edge_and_order_does_not_matter(
    edges: list[tuple[int, str, int]], more: list[tuple[int, str, int]]
) -> None:
    def split(of: list[tuple[int, str, int]]) -> dict[int, str]:
        pairs, relations = arrays(of)
        parts = assign_parts(pairs, relations, IDS, None, SPLIT)
        return dict(zip(pair_keys(pairs, NODES).tolist(), parts.tolist(), strict=True))

    before, after = split(edges), split([*reversed(more), *edges])
    assert before.items() <= after.items()


def test_the_shares_are_those_asked_for() -> None:
    ids = [f"node {number}" for number in range(400)]
    pairs = np.array([(one, other) for one in range(400) for other in range(one)])[:20_000]
    parts = assign_parts(pairs, ["joins"] * len(pairs), ids, None, Split(validation=0.05, test=0.1)).tolist()
    assert [parts.count(split) / len(parts) for split in SPLITS] == pytest.approx([0.85, 0.05, 0.1], abs=0.01)


@given(edge_lists.filter(len), st.integers(0, 2))
def test_held_out_negatives_are_joined_by_no_edge_of_any_part(edges: list[tuple[int, str, int]], seed: int) -> None:
    pairs, relations = arrays(edges)
    parts = assign_parts(pairs, relations, IDS, ("becomes",), SPLIT)
    drawn = sample_negatives(pairs, parts, ["a"] * 4 + ["b"] * 5, seed)
    assert all(not keys(found) & keys(pairs) for found in drawn.values())


@given(edge_lists)
def test_statistics_are_networkxs(edges: list[tuple[int, str, int]]) -> None:
    pairs, _ = arrays(edges)
    matrix = adjacency(pairs, NODES)
    oracle = networkx.Graph(pairs.tolist())
    oracle.add_nodes_from(range(NODES))
    every = np.arange(NODES)
    expected = networkx.betweenness_centrality(oracle)
    np.testing.assert_allclose(betweenness(matrix, every), [expected[node] for node in range(NODES)], atol=1e-12)
    pieces = [oracle.subgraph(piece) for piece in networkx.connected_components(oracle)]
    assert diameter(matrix, every) == max(networkx.diameter(piece) for piece in pieces)
    numbers, degrees, _ = statistics(matrix, ["a"] * NODES, np.zeros((NODES, 1), np.float32), NODES, 1)
    assert (numbers["components"], numbers["largest_component"]) == (len(pieces), max(map(len, pieces)))
    assert degrees.tolist() == [oracle.degree(node) for node in range(NODES)]
    assert numbers["isolated_nodes"] == networkx.number_of_isolates(oracle)
    assert numbers["density"] == pytest.approx(networkx.density(oracle))


def test_sampled_sources_estimate_betweenness_and_diameter() -> None:
    oracle = networkx.random_labeled_tree(300, seed=2)
    matrix = adjacency(np.array(oracle.edges), 300)
    assert diameter(matrix, np.array([17])) == networkx.diameter(oracle)
    found = betweenness(matrix, np.sort(np.random.default_rng(1).choice(300, 150, replace=False)))
    exact = networkx.betweenness_centrality(oracle)
    assert np.corrcoef(found, [exact[node] for node in range(300)])[0, 1] > 0.95


def test_homophily_is_pygs_and_texts_of_neighbours_are_compared() -> None:
    pairs = np.array([[0, 1], [1, 2], [2, 3], [0, 3], [1, 3]])
    types = ["a", "a", "b", "b"]
    numbers, _, _ = statistics(adjacency(pairs, 4), types, np.eye(4, dtype=np.float32), 4, 1)
    both = torch.tensor(np.concatenate([pairs, pairs[:, ::-1]]).T.copy())
    assert numbers["homophily"] == pytest.approx(homophily(both, torch.tensor([0, 0, 1, 1]), method="edge"))
    assert numbers["text_likeness_of_neighbours"] == 0  # no two texts are alike


def test_the_projection_is_that_of_the_principal_components() -> None:
    vectors = np.random.default_rng(3).normal(size=(40, 7)).astype(np.float32) @ np.diag([5, 4, 3, 2, 1, 1, 1])
    found = Projection.fit(vectors.astype(np.float32), 3)(vectors.astype(np.float32))
    expected = PCA(3).fit_transform(vectors)
    expected /= np.sqrt((expected**2).mean())
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)
    assert (found**2).mean() == pytest.approx(1, abs=1e-4)


def test_fewer_texts_than_dimensions_leave_the_rest_at_zero(tmp_path: Path) -> None:
    vectors = np.random.default_rng(3).normal(size=(3, 7)).astype(np.float32)
    projection = Projection.fit(vectors, 5)
    assert not projection(vectors)[:, 2:].any()  # three points lie in a plane
    projection.save(tmp_path)
    np.testing.assert_array_equal(Projection.load(tmp_path)(vectors), projection(vectors))
    assert not Projection.fit(vectors[:1], 5)(vectors[:1]).any()


def project(folder: Path, nodes: list[dict[str, Any]], edges: list[dict[str, Any]], **changes: Any) -> Path:
    """A project after `validated`, whose sentence encoder is a tiny one."""
    (folder / "scales").mkdir(parents=True)
    section = {"predicted": ["becomes", "suits"], "split": {"validation": 0.1, "test": 0.15}, "dimensions": 5}
    encoder = write_sentence_encoder(folder / "encoder")
    params = {
        "scale": "smoke",
        "seed": 7,
        "compute": {"threads": 1},
        "graph": section | changes,
        "index": {"thumbnail": 16, "k1": 1.5, "b": 0.75, "encoder": {"name": str(encoder)}},
        "recommender_evaluation": {"queries": 9, "examples": 1, "projection_nodes": 9},
        "bootstrap": {"samples": 100, "confidence": 0.9},
    }
    YAML().dump(params, folder / "params.yaml")
    (folder / "scales/smoke.yaml").write_text("{}\n")
    listings = [
        {"id": "shop:1", "source": "shop", "title": "A bag", "item": "Bag", "material": "cotton"},
        {"id": "shop:2", "source": "shop", "item": "rocket", "material": None},
        {"id": "shop:3", "source": "shop", "item": None, "material": "wood"},
    ]
    write_tables(folder / "data/validated", nodes, edges, listings)
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = project(tmp_path_factory.mktemp("graph") / "project", *shop_rows())
    run(graph, folder)
    return folder


def test_nodes_come_with_features_and_edges_with_parts(shop: Path) -> None:
    nodes, edges = shop_rows()
    found = CatalogGraph.open(shop / "data/graph")
    assert found.ids[: found.num_transductive] == sorted(row["id"] for row in nodes)
    assert found.features.shape == (found.num_transductive + 2, 5)
    names = [(found.ids[a], found.ids[b]) for a, b in found.edges[found.parts != INDUCTIVE].tolist()]
    assert sorted(names) == sorted((row["source"], row["target"]) for row in edges)
    assert set(found.relations[found.parts == "message"]) == {"made_of"}
    assert {*found.targets_of} == {"item", "material"}
    metrics = read_json(shop / "data/graph/metrics.json")
    assert metrics["test_edges"] == len(found.predicted("test")) == len(found.negatives["test"])
    assert metrics["nodes"] == len(found.ids)
    told = read_json(shop / "data/graph/statistics.json")
    assert told["types"] == {"item": 20, "listing": 2, "material": 15, "product": 40}
    assert len(told["central"]) == 10


def test_listings_hear_of_what_they_name_and_tell_nobody(shop: Path) -> None:
    found = CatalogGraph.open(shop / "data/graph")
    assert found.types[found.num_transductive :] == [LISTING, LISTING]
    named = {(found.ids[listing], found.ids[node]) for node, listing in found.inductive_edges.tolist()}
    assert named == {
        ("shop:1", "shop:item:bag"),
        ("shop:1", "shop:material:cotton"),
        ("shop:3", "shop:material:wood"),
    }
    assert found.message_edges.max() < found.num_transductive


def test_listings_can_stay_away(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", *shop_rows(), listings=False)
    run(graph, folder)
    found = CatalogGraph.open(folder / "data/graph")
    assert found.num_transductive == len(found.ids)
    assert not len(found.inductive_edges)


def test_the_same_tables_give_the_same_bytes(shop: Path) -> None:
    run(graph, shop, "graph_again")
    assert contents(shop / "data/graph_again") == contents(shop / "data/graph")


def test_lone_nodes_and_nodes_without_text_are_taken(tmp_path: Path) -> None:
    nodes, edges = shop_rows()
    lone = [{"id": "shop:item:lone", "type": "item", "text": "lone"}, {"id": "shop:x", "type": "item", "text": None}]
    folder = project(tmp_path / "project", nodes + lone, edges, listings=False)
    metrics = run(graph, folder)
    assert (metrics["isolated_nodes"], metrics["nodes_without_text"], metrics["components"]) == (2, 1, 3)
    found = CatalogGraph.open(folder / "data/graph")
    assert not found.features[found.ids.index("shop:x")].any()


def test_a_graph_of_nodes_alone_has_statistics(tmp_path: Path) -> None:
    metrics = run(graph, project(tmp_path / "project", shop_rows()[0], [], listings=False))
    assert (metrics["edges"], metrics["diameter"], metrics["train_edges"]) == (0, 0, 0)


def test_without_nodes_graph_and_recommender_are_skipped(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", [], [])
    (folder / "data/catalog").mkdir()
    write_json(folder / "data/catalog/upper_bounds.json", {})
    YAML().dump({"recommender": SECTION}, folder / "scales/smoke.yaml")
    for stage in (graph, recommender, recommender_evaluation):
        run(stage, folder)
        reason = skip_reason(folder / "data" / stage.__name__)
        assert reason == "data/validated has no nodes; bring a table of nodes and one of edges in `catalog`"


def test_an_edge_to_nowhere_is_named_with_its_row() -> None:
    rows = [{"source": "a", "relation": "becomes", "target": "b"}, {"source": "a", "relation": "suits", "target": "c"}]
    with pytest.raises(StageError, match=r"edges\.parquet row 2: target 'c' is not a node; add the node to a source"):
        edge_indices(pa.Table.from_pylist(rows, schema=EDGES), ["a", "b"])


def test_loops_and_dangling_edges_are_quarantined(tmp_path: Path) -> None:
    nodes, edges = shop_rows()
    here = nodes[0]["id"]
    wrong = [("shop:nowhere", here), (here, here)]
    bad = [{"source": source, "relation": "becomes", "target": target} for source, target in wrong]
    folder = project(tmp_path / "project", nodes, edges)
    (folder / "data/validated").rename(folder / "data/catalog")
    write_tables(folder / "data/catalog", nodes, [*edges, *bad])
    write_table(folder / "data/catalog/quarantine.parquet", [], QUARANTINE)
    YAML().dump({**YAML().load(folder / "params.yaml"), "validated": {}}, folder / "params.yaml")
    metrics = run(validated, folder)
    assert (metrics["edges_accepted"], metrics["edges_quarantined"]) == (len(edges), 2)
    assert run(graph, folder)["nodes"] == len(nodes)


def test_repeats_and_twins_count_once() -> None:
    nodes, edges = shop_rows()
    twins = [row | {"source": row["target"], "target": row["source"]} for row in edges]
    once, twice = made(nodes, edges), made(nodes, [*edges, *edges, *twins])
    for one, other in ((once.message_edges, twice.message_edges), (once.predicted("test"), twice.predicted("test"))):
        assert keys_of(one, len(nodes)) == keys_of(other, len(nodes))
        assert len(one) == len(other)


def keys_of(pairs: Pairs, nodes: int) -> list[int]:
    return sorted(pair_keys(pairs, nodes).tolist())
