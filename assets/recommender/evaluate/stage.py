"""Judge the recommender on the test edges, beside popularity, shared neighbours and likeness of texts.

Messages passed over train edges alone: neither network nor baselines know a validation or a test edge.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from assets.graph.statistics import adjacency
from assets.recommender.evaluate.parameters import RecommenderEvaluationParameters
from assets.recommender.evaluate.queries import Query, queries
from assets.recommender.evaluate.result import DEPTH, Trial, attempt
from assets.recommender.evaluate.systems import (
    System,
    adamic_adar,
    common_neighbours,
    dot_product,
    popularity,
    text_similarity,
)
from heddle.core.csv_file import write_csv
from heddle.core.parameters.shared import read_seed
from heddle.core.schemas import write_table
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.stage import Metrics, Stage, read_json
from heddle.core.vectors import matrix
from heddle.evaluation.parameters import BootstrapParameters
from heddle.graph.neighbours import Neighbours
from heddle.graph.tables import NODES_FILE, CatalogGraph
from heddle.metrics.bootstrap import ConfidenceInterval

MODEL = "recommender"
CEILING = "link_prediction_auc"
"""What a shop that knows its generator calls the best possible AUC."""
COLUMNS = ("auc", "average_precision", "ndcg_at_10", "hits_at_10", "precision_at_10", "mrr", "coverage")
SHOWN = 5  # recommendations of an example
SHARED = 4  # neighbours that explain one of them
STEPS = 50  # points on the ROC curve

HIT = pa.struct(
    [
        pa.field("text", pa.string()),  # or id
        pa.field("score", pa.float64()),  # logit of an edge
        pa.field("right", pa.bool_()),  # a test edge joins the two
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
    """Score the test edges, rank for every source, measure all systems alike, write tables, map and examples."""
    parameters = stage.parameters(RecommenderEvaluationParameters)
    ceilings = read_json(stage.input("catalog") / "upper_bounds.json")
    reason = skip_reason(stage.input("graph")) or skip_reason(stage.input("recommender"))
    graph = None if reason else CatalogGraph.open(stage.input("graph"))
    if graph and not (len(graph.predicted("test")) and len(graph.negatives["test"])):
        reason = "data/graph has no test edges to tell from others; bring more edges or raise split.test"
    if reason or graph is None:
        stage.progress(f"nothing to judge: {reason}")
        write_skipped(stage.output, str(reason))
        return {"test_edges": 0}
    embeddings = matrix(pq.read_table(stage.input("recommender") / NODES_FILE), "embedding")
    edges, others, asked = graph.predicted("test"), graph.negatives["test"], queries(graph, parameters.queries)
    sure = ConfidenceInterval(stage.parameters(BootstrapParameters, "bootstrap"), read_seed())
    trials = []
    for name, system in _systems(graph, embeddings).items():
        stage.progress(name.replace("_", " "))
        trials.append(attempt(name, system, edges, others, asked, sure))
    (stage.output / "plots").mkdir()
    _write_plots(stage, trials)
    _write_map(stage, graph, embeddings, parameters.projection_nodes)
    _write_examples(stage, graph, asked[: parameters.examples], trials[0])
    numbers = {"test_edges": len(edges), "queries": len(asked), **trials[0].numbers, "auc_chance": 0.5}
    if CEILING in ceilings:
        numbers["auc_ceiling"] = ceilings[CEILING]
    for trial in trials[1:]:
        numbers |= {f"{trial.name}_{name}": trial.numbers[name] for name in ("auc", "ndcg_at_10")}
    return numbers


def _systems(graph: CatalogGraph, embeddings: NDArray[np.float32]) -> dict[str, System]:
    """The recommender first."""
    told = adjacency(graph.message_edges, len(graph.ids))
    return {
        MODEL: dot_product(embeddings),
        "popularity": popularity(told),
        "common_neighbours": common_neighbours(told),
        "adamic_adar": adamic_adar(told),
        "text_similarity": text_similarity(graph.features),
    }


def _write_plots(stage: Stage, trials: Sequence[Trial]) -> None:
    """The table of all systems, hits@k by k, and ROC curves."""
    folder = stage.output / "plots"
    table = [(trial.name, *(f"{trial.numbers[name]:.6f}" for name in COLUMNS)) for trial in trials]
    write_csv(folder / "systems.csv", ("system", *COLUMNS), table)
    hits = [(trial.name, k, f"{(trial.firsts <= k).mean():.6f}") for trial in trials for k in range(1, DEPTH // 2 + 1)]
    write_csv(folder / "hits.csv", ("system", "k", "hits"), hits)
    curve = [
        (trial.name, f"{wrong:.6f}", f"{(trial.scores[0] > bound).mean():.6f}")
        for trial in trials
        for wrong, bound in _bounds(trial.scores[1])
    ]
    write_csv(folder / "roc.csv", ("system", "false_positives", "true_positives"), curve)


def _bounds(others: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Scores to be exceeded, and the share of the pairs that are none which exceed them, from none to all."""
    ordered = np.sort(others)[::-1]
    places = np.unique(np.linspace(0, len(ordered) - 1, STEPS).astype(int))
    bounds = [(float((others > ordered[place]).mean()), float(ordered[place])) for place in places.tolist()]
    return [*bounds, (1.0, -np.inf)]


def _write_map(stage: Stage, graph: CatalogGraph, embeddings: NDArray[np.float32], most: int) -> None:
    """Where nodes lie in the plane of the embeddings' two largest variances; ``most`` of them by their ids' hash."""
    order = sorted(range(len(graph.ids)), key=lambda node: hashlib.sha256(graph.ids[node].encode()).digest())
    drawn = sorted(order[:most])
    centred = embeddings.astype(np.float64) - embeddings.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    plane = directions[:, ::-1][:, :2]
    plane = plane * np.sign(plane[np.abs(plane).argmax(axis=0), [0, 1]])  # either sign is right
    places = centred[drawn] @ plane
    rows = [
        (graph.types[node], graph.texts[node] or graph.ids[node], f"{x:.4f}", f"{y:.4f}")
        for node, (x, y) in zip(drawn, places.tolist(), strict=True)
    ]
    write_csv(stage.output / "plots" / "map.csv", ("type", "text", "x", "y"), rows)


def _write_examples(stage: Stage, graph: CatalogGraph, asked: Sequence[Query], trial: Trial) -> None:
    neighbours = Neighbours(graph.message_edges, len(graph.ids))

    def called(node: int) -> str:
        return graph.texts[node] or graph.ids[node]

    rows = [
        {
            "query": called(query.source),
            "type": graph.types[query.source],
            "right": len(query.right),
            "hits": [
                {
                    "text": called(node),
                    "score": score,
                    "right": node in query.right,
                    "shared": [called(one) for one in neighbours.shared(query.source, node)[:SHARED]],
                }
                for node, score in zip(nodes[:SHOWN].tolist(), scores[:SHOWN].tolist(), strict=True)
            ],
        }
        for query, (nodes, scores) in zip(asked, trial.lists, strict=False)
    ]
    write_table(stage.output / "examples.parquet", rows, EXAMPLES)
