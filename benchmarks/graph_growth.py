"""How graph and recommender grow: ``python benchmarks/graph_growth.py [--edges 10000,100000,1000000]``.

Random graphs of items and products, ten edges for each node, 128 random features. Each size has a process of its own,
which does what the stages do after the texts are embedded: splits the edges, draws negatives, measures the whole,
writes and reads the tables, trains for some epochs, embeds every node. The table holds wall seconds of each step and
the process's largest memory. The settings are those of params.yaml's scale; ``--set fan_out=[15,10]`` changes one.
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

DEGREE = 10  # edges for each node
SOURCES = 16
STEPS = ("split", "negatives", "statistics", "tables", "train", "embed")


def drawn(edges: int) -> tuple[list[str], list[str], np.ndarray]:
    """Ids and types of the nodes, and different pairs of an item and a product."""
    random = np.random.default_rng(1)
    nodes = edges // DEGREE
    items = nodes // 10
    pairs = np.stack([random.integers(0, items, edges * 2), random.integers(items, nodes, edges * 2)], axis=1)
    pairs = np.unique(pairs, axis=0)
    ids = [f"node:{number:08}" for number in range(nodes)]
    return ids, ["item"] * items + ["product"] * (nodes - items), random.permutation(pairs)[:edges]


def measured(edges: int, epochs: int, changes: Mapping[str, Any]) -> dict[str, float]:
    """Seconds of each step, and megabytes; ``changes`` of the settings."""
    ids, types, pairs = drawn(edges)
    found: dict[str, float] = {"edges": len(pairs), "nodes": len(ids)}
    features = np.random.default_rng(2).normal(size=(len(ids), 128)).astype(np.float32)
    relations = np.full(len(pairs), "becomes", object)
    watch = Stopwatch(found)
    parts = assign_parts(pairs, relations, ids, None, Split(validation=0.05, test=0.1))
    watch("split")
    others = sample_negatives(pairs, parts, types, 1)
    watch("negatives")
    graph = CatalogGraph(ids, types, [None] * len(ids), features, pairs, relations, parts, others)
    statistics(adjacency(pairs, len(ids)), types, features, SOURCES, 1)
    watch("statistics")
    with tempfile.TemporaryDirectory() as folder:
        graph.save(Path(folder))
        graph = CatalogGraph.open(Path(folder))
    watch("tables")
    settings = load("recommender", RecommenderParameters).model_dump() | changes
    settings["trainer"]["max_epochs"] = epochs
    parameters = RecommenderParameters.model_validate(settings)
    threads = load("compute", Compute).threads
    torch.set_num_threads(threads)
    trained = train_recommender(graph, parameters, 1, threads, lambda *told: None)
    watch("train")
    found["train"] /= epochs
    GraphEmbedder(trained.network)(graph.features, graph.message_edges, graph.inductive_edges)
    watch("embed")
    return found | {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


class Stopwatch:
    """Writes down the seconds since it was made or last asked."""

    def __init__(self, found: dict[str, float]) -> None:
        self.found, self.since = found, time.perf_counter()

    def __call__(self, step: str) -> None:
        self.found[step] = time.perf_counter() - self.since
        self.since = time.perf_counter()


def main() -> None:
    """Measure each size in a process of its own and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edges", default="10000,100000,1000000")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--alone", action="store_true", help="measure one size here and print JSON")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="changes")
    arguments = parser.parse_args()
    if arguments.alone:
        read = YAML(typ="safe", pure=True).load
        changes = {name: read(value) for name, _, value in (change.partition("=") for change in arguments.changes)}
        print(json.dumps(measured(int(arguments.edges), arguments.epochs, changes)))
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
