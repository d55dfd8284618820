"""What an image can become: products ranked for the nodes that a way takes it to show."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from assets.alignment.embedding_spaces.embedding_spaces import Named
from assets.alignment.evaluate.cross_modal_retrieval import MEASURES, Values, chances, measured
from heddle.graph.tables import CatalogGraph


def product_values(
    graph: CatalogGraph, embeddings: NDArray[np.float32], named: Sequence[Named], ways: Mapping[str, Sequence[Named]]
) -> tuple[dict[str, Values], dict[str, float]]:
    """Every way's measures over the listings, and what guessing reaches.

    A way says which nodes a listing's image shows; products are ranked by the dot product of their embeddings with
    the mean of those nodes', as `heddle recommend` does. Right is what test edges join with the nodes that the listing
    really names; what other edges join with them is no candidate.

    Args:
        graph: with its test edges.
        embeddings: of its nodes, (N, D).
        named: the nodes that each listing names; listings without a test edge are left out.
        ways: by name, for each listing the nodes; where there are none, every product scores alike.
    """
    tested, told = _partners(graph, "test"), _partners(graph, "train", "validation")
    targets = {kind for kinds in graph.targets_of.values() for kind in kinds}
    pool = np.flatnonzero(np.isin(np.array(graph.types, str), sorted(targets)))
    results: dict[str, list[Values]] = defaultdict(list)
    guesses = []
    for row, nodes in enumerate(named):
        joined = set().union(*(tested[node] for node in nodes))
        candidates = np.setdiff1d(pool, sorted(set().union(*(told[node] for node in nodes)) | set(nodes)))
        right = frozenset(np.flatnonzero(np.isin(candidates, sorted(joined))).tolist())
        if not right:
            continue
        guesses.append(chances([right], len(candidates)))
        for way, shown in ways.items():
            asked = embeddings[list(shown[row])].astype(np.float64).sum(axis=0) / max(1, len(shown[row]))
            results[way].append(measured((embeddings[candidates].astype(np.float64) @ asked)[None], [right]))
    values: dict[str, Values] = {
        way: {measure: np.concatenate([one[measure] for one in each]) for measure in MEASURES}
        for way, each in results.items()
    }
    return values, {measure: float(np.mean([one[measure] for one in guesses] or [0])) for measure in MEASURES}


def _partners(graph: CatalogGraph, *splits: str) -> Mapping[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for source, target in graph.predicted(*splits).tolist():
        found[source].add(target)
        found[target].add(source)
    return found
