"""Statistics of a graph: components, diameter, degrees, betweenness, homophily."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from lightning_modules.negatives.negatives import Pairs

Numbers = NDArray[np.float64]

AT_A_TIME = 50_000
"""Number of edges whose vectors are in memory at once."""


def adjacency(pairs: Pairs, nodes: int) -> csr_array:
    """1 where an edge joins two nodes, in both directions, (N, N); self-loops and repeated edges are ignored."""
    joined = pairs[pairs[:, 0] != pairs[:, 1]]
    rows, columns = np.concatenate([joined, joined[:, ::-1]]).T
    matrix = csr_array((np.ones(len(rows)), (rows, columns)), shape=(nodes, nodes))
    matrix.data[:] = 1
    return matrix


def statistics(graph: csr_array, types: Sequence[str], features: NDArray[np.float32], sources: int, seed: int) -> Any:
    """Numbers of the whole, and for each node its degree and betweenness.

    Args:
        graph: of :func:`adjacency`.
        types: of the nodes.
        features: of the nodes' texts, (N, D).
        sources: most nodes that shortest paths are followed from; fewer than there are nodes makes the diameter a
            lower bound and betweenness an estimate.
        seed: of the drawing of these nodes.

    Returns:
        The numbers by name; degrees (N,); betweenness (N,).
    """
    nodes = graph.shape[0]
    degrees = np.diff(graph.indptr).astype(np.int64)
    pieces, piece = connected_components(graph, directed=False)
    random = np.random.Generator(np.random.PCG64(seed))
    drawn = np.sort(random.choice(nodes, min(sources, nodes), replace=False))
    edges = int(degrees.sum()) // 2
    numbers: dict[str, float] = {
        "nodes": nodes,
        "edges": edges,
        "isolated_nodes": int((degrees == 0).sum()),
        "components": int(pieces),
        "largest_component": int(np.bincount(piece).max()),
        "diameter": diameter(graph, drawn),
        "mean_degree": float(degrees.mean()),
        "largest_degree": int(degrees.max()),
        "density": 2 * edges / (nodes * (nodes - 1)) if nodes > 1 else 0.0,
    }
    return numbers | _homophily(graph, types, features, random), degrees, betweenness(graph, drawn)


def diameter(graph: csr_array, sources: NDArray[np.int64]) -> int:
    """The longest of the shortest paths within a component, over the paths from ``sources`` and from their far ends.

    The far end of a path is looked at as well, which finds the diameter of a tree from any node (the double sweep).
    """
    longest = 0
    for source in sources.tolist():
        for _ in range(2):
            steps = dijkstra(graph, unweighted=True, indices=source)
            steps[np.isinf(steps)] = 0
            source = int(steps.argmax())
            longest = max(longest, int(steps[source]))
    return longest


def betweenness(graph: csr_array, sources: NDArray[np.int64]) -> Numbers:
    """Share of the shortest paths between two other nodes that pass through each node (Brandes 2001), (N,).

    Estimated from the paths that begin at ``sources`` (Brandes and Pich 2007); exact where these are all nodes.
    """
    nodes = graph.shape[0]
    total = np.zeros(nodes)
    for source in sources.tolist():
        total += _dependencies(graph, source)
    pairs = (nodes - 1) * (nodes - 2)
    return total * nodes / len(sources) / pairs if pairs > 0 and len(sources) else total


def _dependencies(graph: csr_array, source: int) -> Numbers:
    """How much the shortest paths from one node depend on each other node: level by level out, and back."""
    nodes = graph.shape[0]
    paths, seen, reached = np.zeros(nodes), np.zeros(nodes, bool), np.zeros(nodes)
    paths[source] = reached[source] = 1
    levels = [np.array([source])]
    seen[source] = True
    while len(levels[-1]):
        reached = (graph @ reached) * ~seen
        levels.append(np.flatnonzero(reached))
        paths[levels[-1]] = reached[levels[-1]]
        seen[levels[-1]] = True
    depends = np.zeros(nodes)
    for near, far in zip(levels[-3::-1], levels[-2::-1], strict=False):
        share = np.zeros(nodes)
        share[far] = (1 + depends[far]) / paths[far]
        depends[near] += paths[near] * (graph @ share)[near]
    depends[source] = 0
    return depends


def _homophily(
    graph: csr_array, types: Sequence[str], features: NDArray[np.float32], random: np.random.Generator
) -> dict[str, float]:
    """Share of the edges between nodes of one type (Zhu et al. 2020), and whether texts of neighbours are alike."""
    one, other = graph.nonzero()
    if not len(one):
        return {}
    kind = np.unique(np.asarray(types, str), return_inverse=True)[1]
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    anyone = random.permutation(len(types))[other]  # the same ends, given to other nodes
    return {
        "homophily": float((kind[one] == kind[other]).mean()),
        "text_likeness_of_neighbours": float(_mean_cosine(unit, one, other)),
        "text_likeness_of_strangers": float(_mean_cosine(unit, one, anyone)),
    }


def _mean_cosine(unit: NDArray[np.float32], one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Mean cosine of pairs of rows, in parts, so that a million edges do not need a million vectors in memory."""
    parts = (slice(at, at + AT_A_TIME) for at in range(0, len(one), AT_A_TIME))
    sums = [np.einsum("ed,ed->", unit[one[part]], unit[other[part]]) for part in parts]
    return float(np.sum(sums, dtype=np.float64) / len(one))
