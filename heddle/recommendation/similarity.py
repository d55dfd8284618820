"""Similarity of a text and the nodes that a query can refer to."""

import numpy as np
from numpy.typing import NDArray

from heddle.graph.tables import CatalogGraph
from heddle.recommendation.relations import partner_types


def query_candidates(graph: CatalogGraph) -> NDArray[np.int64]:
    """The nodes that a text can be matched with: those of a type that has recommendations, (C,)."""
    return np.flatnonzero(np.isin(np.array(graph.types, str), sorted(partner_types(graph))))


def cosine(features: NDArray[np.float32], vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosine of features (N, D) and a vector (D,), (N,); 0 for a node without text, whose features are zeros."""
    lengths = np.linalg.norm(features, axis=1) * np.linalg.norm(vector)
    similarity: NDArray[np.float32] = features @ vector / np.maximum(lengths, 1e-12)
    return similarity
