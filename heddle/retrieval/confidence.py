"""How clearly the first hit stands out from the second."""

from collections.abc import Sequence
from typing import Literal

from heddle.retrieval.parameters import Bands
from heddle.retrieval.ranking import Ranking

Band = Literal["high", "medium", "low"]
BANDS: tuple[Band, ...] = ("high", "medium", "low")


def confidence(scores: Sequence[float]) -> float:
    """(s1 - s2) / s1 of the two best scores, in [0, 1].

    A single hit has nothing beside it, 1; no hit, or a best one that scores 0 or less, says nothing, 0. A second score
    below 0, which a cosine can be, counts as 0.

    Args:
        scores: of the hits, best first; at least two of them, if there are two.
    """
    first, second = [*scores[:2], 0.0, 0.0][:2]
    return (first - max(second, 0.0)) / first if first > 0 else 0.0


def confidence_in(place: int, ranking: Ranking) -> float:
    """As :func:`confidence`, for a first hit that another ranking chose: its score here against the best of the others.

    Args:
        place: of the hit.
        ranking: whose scores tell how far apart documents are; 0 where another scores more in it.
    """
    own = ranking.places == place
    first, second = ranking.scores[own].max(initial=0.0), ranking.scores[~own].max(initial=0.0)
    return confidence([float(first), float(second)]) if first >= second else 0.0


def band(value: float, bands: Bands) -> Band:
    """The band that a confidence lies in."""
    if value > bands.high:
        return "high"
    return "low" if value < bands.medium else "medium"
