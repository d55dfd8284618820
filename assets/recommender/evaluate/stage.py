"""Evaluate the recommender on the test edges, beside popularity, shared neighbours and text similarity.

The graph passes messages over train edges only: neither network nor baselines use a validation or a test edge.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from assets.graph.statistics import adjacency
from assets.recommender.evaluate.calibration import fit_recommender_calibration, measure_recommender_calibration
from assets.recommender.evaluate.parameters import RecommenderEvaluationParameters
from assets.recommender.evaluate.queries import Query, draw_queries
from assets.recommender.evaluate.result import DEPTH, RecommenderResult, evaluate_system
from assets.recommender.evaluate.systems import (
    System,
    adamic_adar,
    common_neighbours,
    dot_product,
    popularity,
    text_similarity,
)
from heddle.core.csv_file import write_csv
from heddle.core.parameters.shared import Split, read_seed
from heddle.core.schemas import write_table
from heddle.core.skipped import skip_reason
from heddle.core.stage import Metrics, Stage, read_json
from heddle.core.vectors import matrix
from heddle.evaluation.metric_tree import flat_values
from heddle.evaluation.parameters import BootstrapParameters
from heddle.evaluation.skip import skip_evaluation
from heddle.graph.neighbours import Neighbours
from heddle.graph.tables import NODES_FILE, CatalogGraph
from heddle.metrics.bootstrap import ConfidenceInterval

MODEL = "graph"
"""The system of the recommender's own node embeddings; the others are baselines."""
UPPER_BOUND = "link_prediction_auroc"
"""Key of the best possible AUROC in ``upper_bounds.json``, which the demo shop knows."""
COLUMNS = ("auroc", "average_precision", "ndcg_at_10", "hits_at_10", "precision_at_10", "mrr", "coverage")
SHOWN = 5  # recommendations of an example
SHARED = 4  # shared neighbours that explain a recommendation
STEPS = 50  # points on the ROC curve

HIT = pa.struct(
    [
        pa.field("text", pa.string()),  # or id
        pa.field("score", pa.float64()),  # logit of an edge
        pa.field("right", pa.bool_()),  # whether a test edge joins the two
        pa.field("shared", pa.list_(pa.string())),  # neighbours of both
    ]
)
EXAMPLES = pa.schema(
    [
        pa.field("query", pa.string(), nullable=False),  # text or id of the node
        pa.field("type", pa.string(), nullable=False),
        pa.field("right", pa.int64(), nullable=False),  # how many nodes test edges join it with
        pa.field("hits", pa.list_(HIT), nullable=False),  # best first
    ]
)


def recommender_evaluation(stage: Stage) -> Metrics:
    """Score the test edges and rank candidates with every system; write metrics, calibration, tables and examples."""
    parameters = stage.parameters(RecommenderEvaluationParameters)
    upper_bounds = read_json(stage.input("catalog") / "upper_bounds.json")
    reason = skip_reason(stage.input("graph")) or skip_reason(stage.input("recommender"))
    graph = None if reason else CatalogGraph.open(stage.input("graph"))
    if graph and not (len(graph.predicted("test")) and len(graph.negatives["test"])):
        reason = "data/graph has no test edges or no negatives; add edges or raise graph.split.test"
    if reason or graph is None:
        return skip_evaluation(stage, str(reason), {"test_edges": 0})
    embeddings = matrix(pq.read_table(stage.input("recommender") / NODES_FILE), "embedding")
    edges, negatives = graph.predicted("test"), graph.negatives["test"]
    queries = draw_queries(graph, parameters.queries)
    interval = ConfidenceInterval(stage.parameters(BootstrapParameters, "bootstrap"), read_seed())
    results = []
    for name, system in _systems(graph, embeddings).items():
        stage.progress(name.replace("_", " "))
        results.append(evaluate_system(name, system, edges, negatives, queries, interval))
    (stage.output / "plots").mkdir()
    _write_plots(stage, results)
    _write_map(stage, graph, embeddings, parameters.projection_nodes)
    _write_examples(stage, graph, queries[: parameters.examples], results[0])
    split, system = stage.parameters(Split, "split"), dot_product(embeddings)
    calibration = fit_recommender_calibration(graph, system, split)
    calibration.save(stage.output)
    probabilities, query_texts = measure_recommender_calibration(graph, system, calibration, split)
    metrics: dict[str, Any] = {"test_edges": len(edges), "queries": len(queries)}
    for result in results:
        metrics[result.name] = dict(result.metrics)
    metrics[MODEL] |= probabilities
    if query_texts:
        metrics["query_texts"] = query_texts
    if UPPER_BOUND in upper_bounds:
        metrics[MODEL]["auroc"] = {**metrics[MODEL]["auroc"], "upper_bound": upper_bounds[UPPER_BOUND]}
    return metrics


def _systems(graph: CatalogGraph, embeddings: NDArray[np.float32]) -> dict[str, System]:
    """The recommender, then the baselines."""
    links = adjacency(graph.message_edges, len(graph.ids))
    return {
        MODEL: dot_product(embeddings),
        "popularity": popularity(links),
        "common_neighbours": common_neighbours(links),
        "adamic_adar": adamic_adar(links),
        "text_similarity": text_similarity(graph.features),
    }


def _write_plots(stage: Stage, results: Sequence[RecommenderResult]) -> None:
    """Write the table of all systems, hits@k by k, and ROC curves."""
    folder = stage.output / "plots"
    values = {result.name: flat_values(result.metrics) for result in results}
    table = [(name, *(f"{found[column]:.6f}" for column in COLUMNS)) for name, found in values.items()]
    write_csv(folder / "systems.csv", ("system", *COLUMNS), table)
    hits = [
        (result.name, k, f"{(result.first_ranks <= k).mean():.6f}")
        for result in results
        for k in range(1, DEPTH // 2 + 1)
    ]
    write_csv(folder / "hits.csv", ("system", "k", "hits"), hits)
    curve = [
        (result.name, f"{false_positives:.6f}", f"{(result.scores[0] > threshold).mean():.6f}")
        for result in results
        for false_positives, threshold in _thresholds(result.scores[1])
    ]
    write_csv(folder / "roc.csv", ("system", "false_positives", "true_positives"), curve)


def _thresholds(negatives: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Points of the ROC curve: false positive rate and score threshold, from no false positive to all."""
    ordered = np.sort(negatives)[::-1]
    indices = np.unique(np.linspace(0, len(ordered) - 1, STEPS).astype(int))
    points = [(float((negatives > ordered[index]).mean()), float(ordered[index])) for index in indices.tolist()]
    return [*points, (1.0, -np.inf)]


def _write_map(stage: Stage, graph: CatalogGraph, embeddings: NDArray[np.float32], max_nodes: int) -> None:
    """Write the first two principal components of the embeddings, of ``max_nodes`` nodes by the hash of their ids."""
    order = sorted(range(len(graph.ids)), key=lambda node: hashlib.sha256(graph.ids[node].encode()).digest())
    drawn = sorted(order[:max_nodes])
    centred = embeddings.astype(np.float64) - embeddings.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    plane = directions[:, ::-1][:, :2]
    plane = plane * np.sign(plane[np.abs(plane).argmax(axis=0), [0, 1]])  # fixes the arbitrary sign
    points = centred[drawn] @ plane
    rows = [
        (graph.types[node], graph.texts[node] or graph.ids[node], f"{x:.4f}", f"{y:.4f}")
        for node, (x, y) in zip(drawn, points.tolist(), strict=True)
    ]
    write_csv(stage.output / "plots" / "map.csv", ("type", "text", "x", "y"), rows)


def _write_examples(stage: Stage, graph: CatalogGraph, queries: Sequence[Query], result: RecommenderResult) -> None:
    neighbours = Neighbours(graph.message_edges, len(graph.ids))

    def name_of(node: int) -> str:
        return graph.texts[node] or graph.ids[node]

    rows = [
        {
            "query": name_of(query.source),
            "type": graph.types[query.source],
            "right": len(query.relevant),
            "hits": [
                {
                    "text": name_of(node),
                    "score": score,
                    "right": node in query.relevant,
                    "shared": [name_of(one) for one in neighbours.shared(query.source, node)[:SHARED]],
                }
                for node, score in zip(nodes[:SHOWN].tolist(), scores[:SHOWN].tolist(), strict=True)
            ],
        }
        for query, (nodes, scores) in zip(queries, result.lists, strict=False)
    ]
    write_table(stage.output / "examples.parquet", rows, EXAMPLES)
