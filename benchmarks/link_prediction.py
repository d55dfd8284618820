"""Compare the recommender's networks with baselines: ``python benchmarks/link_prediction.py GRAPH``.

GRAPH is ``data/graph``, or a file of edges with two ids per line, such as ``cora.cites`` of Cora. Nodes of a file have
trained features only; 85 % of the edges are for training, 5 % for validation and 10 % for testing. Each seed splits a
file in another way; the split of a folder is fixed, unless ``--resplit`` is given.

Settings come from the scale in params.yaml; ``--set learning_rate=3e-3`` overrides one.
"""

import argparse
import dataclasses
import resource
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from assets.graph.statistics import adjacency
from assets.recommender.evaluate.queries import queries
from assets.recommender.evaluate.result import attempt
from assets.recommender.evaluate.systems import (
    System,
    adamic_adar,
    common_neighbours,
    dot_product,
    popularity,
    text_similarity,
)
from assets.recommender.train.parameters import RecommenderParameters
from assets.recommender.train.stage import train_recommender
from heddle.core.parameters.section import load
from heddle.core.parameters.shared import Compute, Split
from heddle.core.splits import SPLITS
from heddle.evaluation.parameters import BootstrapParameters
from heddle.graph.edges import assign_parts, sample_negatives
from heddle.graph.tables import INDUCTIVE, CatalogGraph
from heddle.metrics.bootstrap import ConfidenceInterval
from lightning_modules.recommender.embedder import GraphEmbedder

CONVOLUTIONS: Mapping[str, dict[str, Any]] = {
    "mean": {"kind": "sage", "aggregator": "mean"},
    "max": {"kind": "sage", "aggregator": "max"},
    "lstm": {"kind": "sage", "aggregator": "lstm", "neighbours": 10},
    "gat": {"kind": "gat", "heads": 4, "negative_slope": 0.2},
}
SHARES = Split(validation=0.05, test=0.1)
COLUMNS = ("auroc", "average_precision", "ndcg_at_10", "hits_at_10", "mrr")
QUERIES = 500


def from_edges(file: Path, seed: int) -> CatalogGraph:
    """Read a graph from a file of edges; the seed is part of the ids, so that each seed gives another split."""
    pairs = [line.split()[:2] for line in file.read_text().splitlines() if line.strip()]
    ids = sorted({f"{seed}:{name}" for pair in pairs for name in pair})
    index_of = {name: index for index, name in enumerate(ids)}
    edges = np.array([[index_of[f"{seed}:{name}"] for name in pair] for pair in pairs])
    edges = edges[edges[:, 0] != edges[:, 1]]
    relations = np.full(len(edges), "joins", object)
    parts = assign_parts(edges, relations, ids, None, SHARES)
    types = ["node"] * len(ids)
    features = np.zeros((len(ids), 1), np.float32)
    negatives = sample_negatives(edges, parts, types, seed)
    return CatalogGraph(ids, types, [None] * len(ids), features, edges, relations, parts, negatives)


def open_graph(path: Path, split_again: bool, seed: int) -> CatalogGraph:
    """Read the graph for one seed."""
    if not path.is_dir():
        return from_edges(path, seed)
    graph = CatalogGraph.open(path)
    return resplit(graph, seed) if split_again else graph


def resplit(graph: CatalogGraph, seed: int) -> CatalogGraph:
    """Split the predicted edges of a graph again, differently for each seed."""
    ids = [f"{seed}:{name}" for name in graph.ids]
    predicted = np.isin(graph.parts.astype(str), SPLITS)
    parts = graph.parts.copy()
    parts[predicted] = assign_parts(graph.edges[predicted], graph.relations[predicted].tolist(), ids, None, SHARES)
    known = parts != INDUCTIVE
    negatives = sample_negatives(graph.edges[known], parts[known], graph.types, seed)
    return dataclasses.replace(graph, parts=parts, negatives=negatives)


def evaluate(graph: CatalogGraph, name: str, system: System) -> Mapping[str, float]:
    """Metrics of one system on the test edges."""
    sure = ConfidenceInterval(BootstrapParameters(samples=100), 0)
    asked = queries(graph, QUERIES)
    return attempt(name, system, graph.predicted("test"), graph.negatives["test"], asked, sure).numbers


def baselines(graph: CatalogGraph) -> Iterator[tuple[str, System]]:
    """Name and system of each baseline."""
    neighbours = adjacency(graph.message_edges, len(graph.ids))
    yield "popularity", popularity(neighbours)
    yield "common neighbours", common_neighbours(neighbours)
    yield "Adamic-Adar", adamic_adar(neighbours)
    yield "text similarity", text_similarity(graph.features)


def main() -> None:
    """Train every network with every seed and print a table of means and standard deviations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graph", type=Path)
    parser.add_argument("--networks", default="mean,max,lstm,gat", help=", ".join(CONVOLUTIONS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--resplit", action="store_true", help="split a folder's edges again for each seed")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="changes")
    arguments = parser.parse_args()
    settings = load("recommender", RecommenderParameters).model_dump()
    read = YAML(typ="safe", pure=True).load
    settings |= {name: read(value) for name, _, value in (change.partition("=") for change in arguments.changes)}
    threads = load("compute", Compute).threads
    found: dict[str, list[Mapping[str, float]]] = {}
    for seed in range(arguments.seeds):
        graph = open_graph(arguments.graph, arguments.resplit, seed)
        for name in arguments.networks.split(","):
            parameters = RecommenderParameters.model_validate(settings | {"convolution": CONVOLUTIONS[name]})
            before = cpu_seconds()
            trained = train_recommender(graph, parameters, seed, threads, lambda *_: None)
            spent = cpu_seconds() - before
            embeddings = GraphEmbedder(trained.network)(graph.features, graph.message_edges, graph.inductive_edges)
            validation = trained.history[trained.best_epoch - 1]["validation_auroc"]
            numbers = {**evaluate(graph, name, dot_product(embeddings)), "validation": validation, "cpu": spent}
            found.setdefault(name, []).append(numbers)
            print(
                name, seed, {key: round(numbers[key], 4) for key in ("validation", "auroc", "ndcg_at_10")}, flush=True
            )
        if seed == 0 or arguments.resplit or not arguments.graph.is_dir():
            for name, system in baselines(graph):
                found.setdefault(name, []).append(evaluate(graph, name, system))
    Console(width=160).print(make_table(found))


def cpu_seconds() -> float:
    """CPU seconds of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def make_table(found: Mapping[str, list[Mapping[str, float]]]) -> Table:
    """One row per system: means and standard deviations over the seeds."""
    shown = Table("system", "seeds", "validation AUROC", *COLUMNS, "CPU s")
    for name, rows in found.items():
        cells = [format_spread([row[column] for row in rows]) for column in COLUMNS]
        trained = "cpu" in rows[0]
        validation = format_spread([row["validation"] for row in rows]) if trained else ""
        shown.add_row(
            name,
            str(len(rows)),
            validation,
            *cells,
            f"{statistics.mean(row['cpu'] for row in rows):.0f}" if trained else "",
        )
    return shown


def format_spread(values: list[float]) -> str:
    """Format mean and standard deviation."""
    mean = f"{statistics.mean(values):.3f}"
    return f"{mean} ± {statistics.stdev(values):.3f}" if len(values) > 1 else mean


if __name__ == "__main__":
    main()
