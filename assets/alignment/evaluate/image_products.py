"""Rank products for images, by the nodes that a method predicts for each image."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from assets.alignment.embedding_spaces.embedding_spaces import NodeSet
from assets.alignment.evaluate.cross_modal_retrieval import METRICS, Values, chance_metrics, per_query_metrics
from heddle.graph.tables import CatalogGraph


def product_values(
    graph: CatalogGraph,
    embeddings: NDArray[np.float32],
    named: Sequence[NodeSet],
    methods: Mapping[str, Sequence[NodeSet]],
) -> tuple[dict[str, Values], dict[str, float]]:
    """Every method's metrics of the listings, and their chance.

    A method predicts the nodes of a listing's image. Products are ranked by the dot product of their embeddings with
    the mean embedding of these nodes, as `heddle recommend` does. Relevant are the products that test edges join with
    the nodes that the listing names; products that other edges join with them are no candidates.

    Args:
        graph: with its test edges.
        embeddings: of its nodes, (N, D).
        named: the nodes that each listing names; listings without a test edge are skipped.
        methods: by name, the predicted nodes of each listing; without any, every product gets the same score.
    """
    tested, known = _partners(graph, "test"), _partners(graph, "train", "validation")
    targets = {kind for kinds in graph.targets_of.values() for kind in kinds}
    pool = np.flatnonzero(np.isin(np.array(graph.types, str), sorted(targets)))
    results: dict[str, list[Values]] = defaultdict(list)
    guesses = []
    for row, nodes in enumerate(named):
        joined = set().union(*(tested[node] for node in nodes))
        candidates = np.setdiff1d(pool, sorted(set().union(*(known[node] for node in nodes)) | set(nodes)))
        relevant = frozenset(np.flatnonzero(np.isin(candidates, sorted(joined))).tolist())
        if not relevant:
            continue
        guesses.append(chance_metrics([relevant], len(candidates)))
        for method, predicted in methods.items():
            query = embeddings[list(predicted[row])].astype(np.float64).sum(axis=0) / max(1, len(predicted[row]))
            scores = embeddings[candidates].astype(np.float64) @ query
            results[method].append(per_query_metrics(scores[None], [relevant]))
    values: dict[str, Values] = {
        method: {metric: np.concatenate([one[metric] for one in each]) for metric in METRICS}
        for method, each in results.items()
    }
    return values, {metric: float(np.mean([one[metric] for one in guesses] or [0])) for metric in METRICS}


def _partners(graph: CatalogGraph, *splits: str) -> Mapping[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for source, target in graph.predicted(*splits).tolist():
        found[source].add(target)
        found[target].add(source)
    return found
