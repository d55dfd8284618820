"""Systems that score pairs of nodes: the recommender's embeddings and the baselines.

All of them use the message edges only, no held-out edge.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from lightning_modules.negatives.negatives import Pairs

System = Callable[[Pairs], NDArray[np.float64]]
"""Pairs (P, 2) -> scores (P,), higher for more probable edges."""
AT_A_TIME = 50_000
"""Pairs whose rows are in memory."""


def dot_product(vectors: NDArray[np.float32]) -> System:
    """Dot product of the nodes' vectors (N, D)."""

    def scores(pairs: Pairs) -> NDArray[np.float64]:
        one, other = vectors[pairs[:, 0]].astype(np.float64), vectors[pairs[:, 1]].astype(np.float64)
        return np.einsum("pd,pd->p", one, other)

    return _in_parts(scores)


def popularity(graph: csr_array) -> System:
    """Product of the two numbers of neighbours (preferential attachment, Newman 2001)."""
    degrees = np.diff(graph.indptr).astype(np.float64)
    return lambda pairs: degrees[pairs[:, 0]] * degrees[pairs[:, 1]]


def common_neighbours(graph: csr_array) -> System:
    """Number of shared neighbours (Newman 2001)."""
    return _shared(graph, np.ones(graph.shape[0]))


def adamic_adar(graph: csr_array) -> System:
    """Sum of 1 / log degree over the shared neighbours (Adamic and Adar 2003)."""
    degrees = np.diff(graph.indptr)
    return _shared(graph, 1 / np.log(np.maximum(degrees, 2)))  # a shared neighbour has at least two neighbours


def text_similarity(features: NDArray[np.float32]) -> System:
    """Cosine of the embeddings of the nodes' texts; 0 where a node has no text."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return dot_product(features / np.maximum(lengths, 1e-12))


def _shared(graph: csr_array, weights: NDArray[np.float64]) -> System:
    def scores(pairs: Pairs) -> NDArray[np.float64]:
        return graph[pairs[:, 0]].multiply(graph[pairs[:, 1]]) @ weights

    return _in_parts(scores)


def _in_parts(scores: System) -> System:
    def all_scores(pairs: Pairs) -> NDArray[np.float64]:
        parts = [scores(pairs[at : at + AT_A_TIME]) for at in range(0, len(pairs), AT_A_TIME)]
        return np.concatenate([np.zeros(0), *parts])

    return all_scores
