"""Confidence in the first hit: how far its score lies above that of the second."""

from collections.abc import Sequence
from typing import Literal

from heddle.retrieval.parameters import Bands
from heddle.retrieval.ranking import Ranking

Band = Literal["high", "medium", "low"]
BANDS: tuple[Band, ...] = ("high", "medium", "low")


def confidence(scores: Sequence[float]) -> float:
    """(s1 - s2) / s1 of the two best scores, in [0, 1].

    A single hit has confidence 1. The confidence is 0 without a hit, or if the best score is 0 or less. A second score
    below 0, which a cosine can be, counts as 0.

    Args:
        scores: of the hits, best first; at least the first two.
    """
    first, second = [*scores[:2], 0.0, 0.0][:2]
    return (first - max(second, 0.0)) / first if first > 0 else 0.0


def confidence_in(index: int, scoring: Ranking) -> float:
    """Confidence in a document that may not be the first of the ranking whose scores are compared.

    Args:
        index: of the document.
        scoring: whose scores are compared; the confidence is 0 if another document scores more in it.
    """
    own = scoring.indices == index
    first, second = scoring.scores[own].max(initial=0.0), scoring.scores[~own].max(initial=0.0)
    return confidence([float(first), float(second)]) if first >= second else 0.0


def band(value: float, bands: Bands) -> Band:
    """Band of a confidence."""
    if value > bands.high:
        return "high"
    return "low" if value < bands.medium else "medium"
