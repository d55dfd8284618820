"""Training the recommender: what it writes, that it learns, and clear words where there is nothing to learn."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from assets.recommender.evaluate.systems import dot_product
from assets.recommender.train.stage import recommender, train_recommender
from heddle.core.parameters.section import ParameterError
from heddle.core.parameters.shared import Split
from heddle.core.skipped import skip_reason
from heddle.core.stage import StageError
from heddle.core.vectors import matrix
from heddle.graph.edges import assign_parts, sample_negatives
from heddle.graph.tables import CatalogGraph
from heddle.metrics import compute
from heddle.metrics.auroc import Auroc
from lightning_modules.recommender.embedder import GraphEmbedder
from lightning_modules.recommender.graph import GraphRecommender
from tests.support.small_graph import PREDICTED, SECTION, SHARES, made, section, shop_rows
from tests.support.small_project import contents, run

CORA = Path(__file__).parents[5] / "shared/data/cora/cora.cites"


def project(folder: Path, graph: CatalogGraph, **changes: Any) -> Path:
    """A project after `graph`."""
    (folder / "data/graph").mkdir(parents=True)
    (folder / "scales").mkdir()
    graph.save(folder / "data/graph")
    (folder / "params.yaml").write_text("scale: smoke\nseed: 7\ncompute: {threads: 1}\n")
    YAML().dump({"recommender": SECTION | changes}, folder / "scales/smoke.yaml")
    return folder


def auroc(graph: CatalogGraph, embeddings: np.ndarray) -> float:
    """On the test edges."""
    score = dot_product(embeddings)
    scores = [score(graph.predicted("test")), score(graph.negatives["test"])]
    labels = np.repeat([1, 0], [len(each) for each in scores])
    return compute(Auroc, predictions=np.concatenate(scores), references=labels)["auroc"]


@pytest.fixture(scope="module")
def shop() -> CatalogGraph:
    listings = [{"id": "shop:1", "title": "A bag", "item": "bag", "material": "cotton"}]
    return made(*shop_rows(), listings)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, shop: CatalogGraph) -> Path:
    folder = project(tmp_path_factory.mktemp("recommender") / "project", shop)
    run(recommender, folder)
    return folder


def test_the_folder_holds_network_history_nodes_and_edges(trained: Path, shop: CatalogGraph) -> None:
    folder = trained / "data/recommender"
    names = {"config.json", "model.safetensors", "history.csv", "nodes.parquet", "edges.parquet", "metrics.json"}
    assert {path.name for path in folder.iterdir()} == names
    assert (folder / "history.csv").read_text().startswith("epoch,learning_rate,train_loss,validation_auroc,")
    nodes = pq.read_table(folder / "nodes.parquet")
    assert nodes["id"].to_pylist() == shop.ids
    network = GraphRecommender.from_pretrained(folder)
    expected = GraphEmbedder(network)(shop.features, shop.message_edges, shop.inductive_edges)
    np.testing.assert_allclose(matrix(nodes, "embedding"), expected, atol=1e-6)


def test_held_out_edges_tell_nothing(trained: Path, shop: CatalogGraph, tmp_path: Path) -> None:
    """Embeddings are the same where validation and test edges are not there at all."""
    embedder = GraphEmbedder(GraphRecommender.from_pretrained(trained / "data/recommender"))
    kept = ~np.isin(shop.parts.astype(str), ("validation", "test"))
    bare = CatalogGraph(
        shop.ids, shop.types, shop.texts, shop.features, shop.edges[kept], shop.relations[kept], shop.parts[kept], {}
    )
    found = matrix(pq.read_table(trained / "data/recommender/nodes.parquet"), "embedding")
    np.testing.assert_allclose(embedder(bare.features, bare.message_edges, bare.inductive_edges), found, atol=1e-6)


def test_the_same_input_gives_the_same_bytes(trained: Path) -> None:
    run(recommender, trained, "recommender_again")
    assert contents(trained / "data/recommender_again") == contents(trained / "data/recommender")


@pytest.mark.parametrize(
    "convolution",
    [
        {"kind": "sage", "aggregator": "mean"},
        {"kind": "sage", "aggregator": "max"},
        {"kind": "sage", "aggregator": "lstm", "neighbours": 5},
        {"kind": "gat", "heads": 4, "negative_slope": 0.2},
    ],
    ids=lambda convolution: convolution.get("aggregator", "gat"),
)
@pytest.mark.parametrize(
    "changes",
    [{}, {"skip_connection_dim": 4, "l2_penalty": 1e-3}, {"fan_out": [10, 5]}],
    ids=["layers", "shallow", "neighbours"],
)
def test_every_network_learns_who_goes_with_whom(convolution: dict[str, Any], changes: dict[str, Any]) -> None:
    """Two kinds of items go with two kinds of products; features tell the kinds, but dimly."""
    random = np.random.default_rng(2)
    types = ["item"] * 20 + ["product"] * 60
    kinds = np.arange(80) % 2
    ids = [f"n{number:02}" for number in range(80)]
    pairs = np.array(
        [(a, b) for a in range(20) for b in range(20, 80) if kinds[a] == kinds[b] and random.random() < 0.5]
    )
    parts = assign_parts(pairs, ["becomes"] * len(pairs), ids, PREDICTED, SHARES)
    features = (random.normal(size=(80, 4)) + 0.5 * kinds[:, None]).astype(np.float32)
    relations = np.full(len(pairs), "becomes", object)
    graph = CatalogGraph(ids, types, ids, features, pairs, relations, parts, sample_negatives(pairs, parts, types, 1))
    trainer = SECTION["trainer"] | {"max_epochs": 30, "patience": 30}
    learned = train_recommender(
        graph, section(convolution=convolution, trainer=trainer, **changes), 1, 1, lambda *told: None
    )
    reached = auroc(graph, GraphEmbedder(learned.network)(graph.features, graph.message_edges, graph.inductive_edges))
    assert reached > 0.72, reached  # 0.83 is the most: a third of the others go together as well


@pytest.mark.skipif(not CORA.is_file(), reason="../shared/data/cora is not on this machine")
def test_cora_is_learned_without_features() -> None:
    """A small network in seconds; ``benchmarks/link_prediction.py`` has the whole one and five seeds."""
    lines = [line.split() for line in CORA.read_text().splitlines()]
    ids = sorted({name for line in lines for name in line})
    place = {name: number for number, name in enumerate(ids)}
    pairs = np.array([[place[name] for name in line] for line in lines])
    parts = assign_parts(pairs, ["cites"] * len(pairs), ids, None, Split(validation=0.05, test=0.1))
    types, relations = ["paper"] * len(ids), np.full(len(pairs), "cites", object)
    drawn = sample_negatives(pairs, parts, types, 1)
    graph = CatalogGraph(
        ids, types, [None] * len(ids), np.zeros((len(ids), 1), np.float32), pairs, relations, parts, drawn
    )
    changes = {
        "hidden_dims": [128, 64],
        "node_embedding_dim": 128,
        "learning_rate": 5e-3,
        "weight_decay": 1.0,
        "feature_dropout": 0.3,
    }
    trainer = SECTION["trainer"] | {"max_epochs": 40, "patience": 40}
    learned = train_recommender(graph, section(**changes, trainer=trainer), 1, 1, lambda *told: None)
    assert (
        auroc(graph, GraphEmbedder(learned.network)(graph.features, graph.message_edges, graph.inductive_edges)) > 0.78
    )


def _without(graph: CatalogGraph, *splits: str) -> CatalogGraph:
    kept = ~np.isin(graph.parts.astype(str), splits)
    return CatalogGraph(
        graph.ids,
        graph.types,
        graph.texts,
        graph.features,
        graph.edges[kept],
        graph.relations[kept],
        graph.parts[kept],
        graph.negatives,
    )


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("train", "0 train edges are to be predicted, fewer than the 2 batches of an epoch; add edges or add"),
        ("validation", r"0 validation edges and \d+ validation negatives, at least one of each"),
    ],
)
def test_too_few_edges_make_no_model_and_no_error(
    tmp_path: Path, shop: CatalogGraph, missing: str, reason: str
) -> None:
    folder = project(tmp_path / "project", _without(shop, missing))
    numbers = run(recommender, folder)
    assert numbers[f"{missing}_edges"] == 0
    assert not (folder / "data/recommender/config.json").exists()
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(skip_reason(folder / "data/recommender"))


def test_nodes_without_text_need_features_of_their_own(tmp_path: Path, shop: CatalogGraph) -> None:
    folder = project(tmp_path / "project", shop)
    shutil.rmtree(folder / "data/graph")
    (folder / "data/graph").mkdir()
    shop_without = CatalogGraph(**{**vars(shop), "features": np.zeros_like(shop.features)})
    shop_without.save(folder / "data/graph")
    with pytest.raises(
        StageError, match=r"no node has a text; give nodes texts, or set recommender\.node_embedding_dim to 32"
    ):
        run(recommender, folder)
    YAML().dump({"recommender": SECTION | {"node_embedding_dim": 8}}, folder / "scales/smoke.yaml")
    run(recommender, folder, "recommender_learned")
    network = GraphRecommender.from_pretrained(folder / "data/recommender_learned")
    assert network.learned is not None
    assert network.learned.weight.shape == (shop.num_transductive, 8)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batches_per_epoch": 1}, r"recommender\.batches_per_epoch: found 1; .*greater than or equal to 2"),
        ({"convolution": {"kind": "gcn"}}, r"recommender\.convolution: .*'sage', 'gat'"),
        (
            {"convolution": {"kind": "gat", "heads": 3, "negative_slope": 0.2}},
            "16 is no multiple of 3 heads",
        ),
        (
            {"convolution": {"kind": "gat", "heads": 4, "negative_slope": 0.2}, "skip_connection_dim": 6},
            "6 is no multiple of 4 heads",
        ),
        ({"hidden_dims": []}, r"recommender\.hidden_dims"),
        ({"fan_out": [5, 0]}, r"recommender\.fan_out"),
        ({"fan_out": [5]}, r"recommender\.fan_out: .*\[5\] has 1 layers, hidden_dims \[16, 8\]"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_mistaken_parameters_are_named(
    tmp_path: Path, shop: CatalogGraph, changes: dict[str, Any], message: str
) -> None:
    folder = project(tmp_path / "project", shop, **changes)
    with pytest.raises(ParameterError, match=message):
        run(recommender, folder)
