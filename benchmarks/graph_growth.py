"""Time and memory of graph and recommender by size: ``python benchmarks/graph_growth.py [--edges 10000,100000]``.

Uses random graphs of items and products with ten edges per node and 128 random features. Each size runs in its own
process, with the steps of the stages after the text embedding: split the edges, sample negatives, compute statistics,
write and read the tables, train, embed every node. The table shows wall-clock seconds per step and peak memory.
Settings come from the scale in params.yaml; ``--set fan_out=[15,10]`` overrides one.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from assets.graph.statistics import adjacency, statistics
from assets.recommender.train.parameters import RecommenderParameters
from assets.recommender.train.stage import train_recommender
from heddle.core.parameters.section import load
from heddle.core.parameters.shared import Compute, Split
from heddle.graph.edges import assign_parts, sample_negatives
from heddle.graph.tables import CatalogGraph
from lightning_modules.recommender.embedder import GraphEmbedder

DEGREE = 10  # edges per node
SOURCES = 16
STEPS = ("split", "negatives", "statistics", "tables", "train", "embed")


def random_graph(edges: int) -> tuple[list[str], list[str], np.ndarray]:
    """Ids and types of the nodes, and unique pairs of an item and a product."""
    random = np.random.default_rng(1)
    nodes = edges // DEGREE
    items = nodes // 10
    pairs = np.stack([random.integers(0, items, edges * 2), random.integers(items, nodes, edges * 2)], axis=1)
    pairs = np.unique(pairs, axis=0)
    ids = [f"node:{number:08}" for number in range(nodes)]
    return ids, ["item"] * items + ["product"] * (nodes - items), random.permutation(pairs)[:edges]


def measure(edges: int, epochs: int, changes: Mapping[str, Any]) -> dict[str, float]:
    """Seconds per step and peak memory in megabytes; ``changes`` overrides settings."""
    ids, types, pairs = random_graph(edges)
    found: dict[str, float] = {"edges": len(pairs), "nodes": len(ids)}
    features = np.random.default_rng(2).normal(size=(len(ids), 128)).astype(np.float32)
    relations = np.full(len(pairs), "becomes", object)
    stopwatch = Stopwatch(found)
    parts = assign_parts(pairs, relations, ids, None, Split(validation=0.05, test=0.1))
    stopwatch("split")
    negatives = sample_negatives(pairs, parts, types, 1)
    stopwatch("negatives")
    graph = CatalogGraph(ids, types, [None] * len(ids), features, pairs, relations, parts, negatives)
    statistics(adjacency(pairs, len(ids)), types, features, SOURCES, 1)
    stopwatch("statistics")
    with tempfile.TemporaryDirectory() as folder:
        graph.save(Path(folder))
        graph = CatalogGraph.open(Path(folder))
    stopwatch("tables")
    settings = load("recommender", RecommenderParameters).model_dump() | changes
    settings["trainer"]["max_epochs"] = epochs
    parameters = RecommenderParameters.model_validate(settings)
    threads = load("compute", Compute).threads
    torch.set_num_threads(threads)
    trained = train_recommender(graph, parameters, 1, threads, lambda *_: None)
    stopwatch("train")
    found["train"] /= epochs
    GraphEmbedder(trained.network)(graph.features, graph.message_edges, graph.inductive_edges)
    stopwatch("embed")
    return found | {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


class Stopwatch:
    """Records the seconds since its creation or its last call."""

    def __init__(self, found: dict[str, float]) -> None:
        self.found, self.since = found, time.perf_counter()

    def __call__(self, step: str) -> None:
        self.found[step] = time.perf_counter() - self.since
        self.since = time.perf_counter()


def main() -> None:
    """Measure each size in its own process and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edges", default="10000,100000,1000000")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--alone", action="store_true", help="measure one size in this process and print JSON")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="changes")
    arguments = parser.parse_args()
    if arguments.alone:
        read = YAML(typ="safe", pure=True).load
        changes = {name: read(value) for name, _, value in (change.partition("=") for change in arguments.changes)}
        print(json.dumps(measure(int(arguments.edges), arguments.epochs, changes)))
        return
    table = Table("edges", "nodes", *(f"{step}, s" for step in STEPS), "memory, MB", title="train: one epoch")
    for edges in arguments.edges.split(","):
        command = [sys.executable, __file__, "--alone", "--edges", edges, "--epochs", str(arguments.epochs)]
        command += [word for change in arguments.changes for word in ("--set", change)]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        row = json.loads(answer.splitlines()[-1])
        numbers = [f"{row[step]:.2f}" for step in STEPS]
        table.add_row(f"{row['edges']:,.0f}", f"{row['nodes']:,.0f}", *numbers, f"{row['megabytes']:,.0f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
