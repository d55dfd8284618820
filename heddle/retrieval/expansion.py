"""Expansion of a query with the first documents found for it (pseudo-relevance feedback).

expanded = query + alpha * sum over the feedback documents of weight * document: the query keeps its full weight, the
documents count alpha times as much. For BM25 a document is its stems, each with tf * ln(N / df); for dense retrieval it
is its vector. In both the sum is first scaled to the length of the query: TF-IDF weights and counts have different
scales, so alpha would have no fixed meaning otherwise. Source: Rocchio, "Relevance feedback in information retrieval",
1971, with positive feedback only.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def document_weights(scores: Sequence[float]) -> list[float]:
    """Share of each document in the sum of the positive scores; equal shares if no score is positive."""
    positive = [max(score, 0.0) for score in scores]
    total = math.fsum(positive)
    return [score / total for score in positive] if total > 0 else [1 / len(scores) for _ in scores]


def expanded_stems(
    query: Mapping[str, float],
    documents: Sequence[Sequence[str]],
    weights: Sequence[float],
    rarity: Callable[[str], float],
    stems: int,
    alpha: float,
) -> dict[str, float]:
    """Stems of the query with those of the documents.

    Args:
        query: stem -> weight.
        documents: the stems of each document, in any order.
        weights: of the documents.
        rarity: computes ln(N / df) of a stem.
        stems: maximum number of stems to add. The heaviest are added, of equal ones the first in alphabetical order. A
            stem of the query counts among them and gains weight.
        alpha: length of the added part, as a share of the length of the query.
    """
    added: dict[str, float] = defaultdict(float)
    for document, weight in zip(documents, weights, strict=True):
        for stem, count in Counter(document).items():
            added[stem] += weight * count * rarity(stem)
    heaviest = sorted((stem for stem in added if added[stem] > 0), key=lambda stem: (-added[stem], stem))[:stems]
    length = math.hypot(*(added[stem] for stem in heaviest))
    scale = alpha * math.hypot(*query.values()) / length if length else 0.0
    expanded = dict(query)
    for stem in heaviest:
        expanded[stem] = expanded.get(stem, 0.0) + scale * added[stem]
    return expanded


def expanded_vector(
    query: NDArray[np.float32], documents: NDArray[np.float32], weights: Sequence[float], alpha: float
) -> NDArray[np.float32]:
    """Unit vector of the query (D,) moved towards the vectors of the documents (N, D), and normalised again."""
    added = np.asarray(weights, np.float32) @ documents  # (D,)
    moved = query + alpha * _normalised(added)
    return _normalised(moved)


def _normalised(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(vector)
    return vector / length if length else vector
