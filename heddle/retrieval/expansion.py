"""A question, expanded by what the first documents found for it say (pseudo-relevance feedback).

Expanded = question + alpha * sum over those documents of weight * document: what was asked keeps its full weight, and
what the documents add counts alpha times as much. Among words a document is its stems, each with tf * ln(N / df); among
vectors it is its vector. In both the sum is first made as long as the question, or alpha would say nothing: TF-IDF
weights have another scale than counts. Source: Rocchio, "Relevance feedback in information retrieval", 1971, with
positive feedback alone.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def document_weights(scores: Sequence[float]) -> list[float]:
    """Each document's share of the scores of all, as far as they are above 0; all the same where none is."""
    positive = [max(score, 0.0) for score in scores]
    total = math.fsum(positive)
    return [score / total for score in positive] if total > 0 else [1 / len(scores) for _ in scores]


def expanded_stems(
    question: Mapping[str, float],
    documents: Sequence[Sequence[str]],
    weights: Sequence[float],
    rarity: Callable[[str], float],
    stems: int,
    alpha: float,
) -> dict[str, float]:
    """The question's stems with those of the documents.

    Args:
        question: stem -> how often it is asked for.
        documents: the stems of each, in any order.
        weights: of the documents.
        rarity: ln(N / df) of a stem in the library.
        stems: the most that are added; the heaviest, of equal ones the first by name. One of the question's own counts
            among them and gains weight.
        alpha: what is added, as a share of the question's length.
    """
    added: dict[str, float] = defaultdict(float)
    for document, weight in zip(documents, weights, strict=True):
        for stem, count in Counter(document).items():
            added[stem] += weight * count * rarity(stem)
    heaviest = sorted((stem for stem in added if added[stem] > 0), key=lambda stem: (-added[stem], stem))[:stems]
    length = math.hypot(*(added[stem] for stem in heaviest))
    scale = alpha * math.hypot(*question.values()) / length if length else 0.0
    expanded = dict(question)
    for stem in heaviest:
        expanded[stem] = expanded.get(stem, 0.0) + scale * added[stem]
    return expanded


def expanded_vector(
    question: NDArray[np.float32], documents: NDArray[np.float32], weights: Sequence[float], alpha: float
) -> NDArray[np.float32]:
    """The question's unit vector (D,) moved towards those of the documents (N, D), and made a unit vector again."""
    added = np.asarray(weights, np.float32) @ documents  # (D,)
    moved = question + alpha * _unit(added)
    return _unit(moved)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(vector)
    return vector / length if length else vector
