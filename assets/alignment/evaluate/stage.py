"""Evaluate the aligned spaces on the test split: retrieval between each two spaces, and products for images.

Each distinct vector of a space is one query: an image, a caption, the graph neighbours of a listing, which several
listings may share. Relevant are all vectors of the other space that a test listing has together with it.
"""

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from assets.alignment.embedding_spaces.embedding_spaces import EmbeddingSpaces, Encoders
from assets.alignment.evaluate.cross_modal_retrieval import (
    METRICS,
    K,
    Values,
    chance_metrics,
    per_query_metrics,
    retrieval_task,
    upper_bounds,
)
from assets.alignment.evaluate.image_nodes import ImageNodes
from assets.alignment.evaluate.image_products import product_values
from assets.alignment.train.parameters import AlignmentParameters
from heddle.core.csv_file import write_csv
from heddle.core.parameters.shared import read_seed
from heddle.core.skipped import skip_reason
from heddle.core.stage import Metrics, Stage
from heddle.core.vectors import matrix
from heddle.evaluation.parameters import BootstrapParameters
from heddle.evaluation.skip import skip_evaluation
from heddle.graph.tables import NODES_FILE, CatalogGraph
from heddle.metrics.bootstrap import ConfidenceInterval, Interval
from lightning_modules.alignment.alignment import Alignment
from lightning_modules.alignment.config import Space

COLUMNS = ("method", "from", "to", "metric", "value", "low", "high", "chance")
ALIGNED, UNALIGNED, BY_CLASSES, BY_LABELS = "aligned", "random projections", "classes", "labels"
"""Methods, as the table names them."""
SYSTEMS = {BY_CLASSES: "image_classifier", BY_LABELS: "true_labels"}
"""Method -> its system in ``metrics.json``, below the direction; the aligned spaces are the direction's own metrics."""
PRODUCTS = "products"

Embeddings = Mapping[Space, NDArray[np.float32]]
Row = tuple[object, ...]


def alignment_evaluation(stage: Stage) -> Metrics:
    """Project the test listings, retrieve between each two spaces; write metrics and the table."""
    reason, held_out = skip_reason(stage.input("alignment")), None
    if not reason:
        encoders = Encoders(stage, stage.parameters(AlignmentParameters, "alignment").spaces)
        held_out = encoders.read("test")
        if len(held_out.samples) < 2:
            reason = (
                f"data/shards/test: {len(held_out.samples)} listings have {' and '.join(encoders.spaces)}, at least 2 "
                "are needed; add listings or raise split.test"
            )
    if reason or held_out is None:
        return skip_evaluation(stage, str(reason), {"test_listings": 0})
    counts = {"test_listings": len(held_out.samples), "test_listings_skipped": held_out.skipped}
    return {**counts, **_evaluate(stage, encoders, held_out)}


def _evaluate(stage: Stage, encoders: Encoders, held_out: EmbeddingSpaces) -> dict[str, Any]:
    interval = ConfidenceInterval(stage.parameters(BootstrapParameters, "bootstrap"), read_seed())
    network = Alignment.from_pretrained(stage.input("alignment"))
    methods = {ALIGNED: network, UNALIGNED: _unaligned(network)}
    embeddings = {method: model.embed(held_out.vectors) for method, model in methods.items()}
    image_nodes = None
    if {"image", "graph"} <= set(encoders.spaces):
        image_nodes = ImageNodes.classify(encoders, held_out)
    rows: list[Row] = []
    metrics: dict[str, Any] = {}
    for source, target in permutations(network.spaces, 2):
        stage.progress(f"{source} to {target}")
        direction, direction_rows = _direction(embeddings, held_out, (source, target), image_nodes, interval)
        metrics[f"{source}_to_{target}"] = direction
        rows += direction_rows
    if image_nodes is not None:
        products, product_rows = _products(stage, encoders, held_out, network, image_nodes, interval)
        metrics[f"image_to_{PRODUCTS}"] = products
        rows += product_rows
    (stage.output / "plots").mkdir()
    write_csv(stage.output / "plots" / "retrieval.csv", COLUMNS, rows)
    return metrics


def _unaligned(network: Alignment) -> Alignment:
    """The same network with its initial weights, but with the trained standardisation of its inputs."""
    torch.manual_seed(read_seed())
    first = Alignment(network.config)
    first.load_state_dict(dict(network.named_buffers()), strict=False)
    return first.eval()


def _direction(
    embeddings: Mapping[str, Embeddings],
    held_out: EmbeddingSpaces,
    ends: tuple[Space, Space],
    image_nodes: ImageNodes | None,
    interval: ConfidenceInterval,
) -> tuple[dict[str, Any], list[Row]]:
    """Metrics and table rows of retrieval from one space in another, by every method."""
    source, target = ends
    task = retrieval_task(held_out.kinds[source], held_out.kinds[target])
    scores = {
        method: _cosines(vectors[source][task.queries], vectors[target][task.candidates])
        for method, vectors in embeddings.items()
    }
    if image_nodes is not None and ends == ("image", "graph"):
        node_sets = [held_out.named[row] for row in task.candidates]
        scores[BY_CLASSES] = image_nodes.log_likelihoods(node_sets)[task.queries]
    values = {method: per_query_metrics(each, task.relevant) for method, each in scores.items()}
    chance, best = chance_metrics(task.relevant, len(task.candidates)), upper_bounds(task.relevant)
    metrics: dict[str, Any] = {"queries": len(task.queries), "candidates": len(task.candidates)}
    for metric in METRICS:
        metrics[metric] = {**_mean(interval, values[ALIGNED][metric]), "chance": chance[metric]}
        if best.get(metric, 1) < 1:
            metrics[metric]["upper_bound"] = best[metric]
    if BY_CLASSES in values:
        metrics[SYSTEMS[BY_CLASSES]] = {metric: _mean(interval, values[BY_CLASSES][metric]) for metric in METRICS}
    return metrics, _rows(values, source, target, chance, interval)


def _products(
    stage: Stage,
    encoders: Encoders,
    held_out: EmbeddingSpaces,
    network: Alignment,
    image_nodes: ImageNodes,
    interval: ConfidenceInterval,
) -> tuple[dict[str, Any], list[Row]]:
    """Metrics and table rows of the products that an image's item and material can become, by the test edges."""
    stage.progress("image to products")
    graph = CatalogGraph.open(stage.input("graph"))
    embeddings = matrix(pq.read_table(stage.input("recommender") / NODES_FILE), "embedding")
    node_sets = list(encoders.node_vectors)
    images = network.embed({"image": held_out.vectors["image"]})["image"]
    nodes = network.embed({"graph": np.stack([encoders.node_vectors[one] for one in node_sets])})["graph"]
    nearest = [node_sets[index] for index in (images @ nodes.T).argmax(axis=1)]
    methods = {ALIGNED: nearest, BY_CLASSES: image_nodes.most_probable(), BY_LABELS: list(held_out.named)}
    values, chance = product_values(graph, embeddings, held_out.named, methods)
    if not values:
        stage.progress("no test edge joins a node of a test listing with a product: products are not evaluated")
        return {"queries": 0}, []
    metric = f"ndcg_at_{K}"
    metrics: dict[str, Any] = {
        "queries": len(values[ALIGNED][metric]),
        metric: {**_mean(interval, values[ALIGNED][metric]), "chance": chance[metric]},
    }
    for method, system in SYSTEMS.items():
        metrics[system] = {metric: _mean(interval, values[method][metric])}
    return metrics, _rows(values, "image", PRODUCTS, chance, interval)


def _rows(
    values: Mapping[str, Values], source: str, target: str, chance: Mapping[str, float], interval: ConfidenceInterval
) -> list[Row]:
    rows: list[Row] = []
    for method, by_metric in values.items():
        for metric in METRICS:
            mean = _mean(interval, by_metric[metric])
            numbers = (mean["value"], mean["low"], mean["high"], chance[metric])
            rows.append((method, source, target, metric, *(f"{number:.6f}" for number in numbers)))
    return rows


def _mean(interval: ConfidenceInterval, values: NDArray[np.float64]) -> Interval:
    return interval(float(values.mean()), values)


def _cosines(queries: NDArray[np.float32], candidates: NDArray[np.float32]) -> NDArray[np.float64]:
    return (queries @ candidates.T).astype(np.float64)
