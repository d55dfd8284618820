"""Documents in the order of their scores. A document is known by its place in the library, from 0."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ranking:
    """Documents, best first; those with equal scores in the order of their places.

    Attributes:
        places: no place twice, (N,).
        scores: never rising, (N,).
    """

    places: NDArray[np.int64]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.places)

    @classmethod
    def of_all(cls, scores: NDArray[np.floating], depth: int) -> Self:
        """The best `depth` of the documents whose scores these are, (documents,)."""
        places = np.argsort(-scores, kind="stable")[:depth]
        return cls(places, scores[places].astype(np.float64))

    @classmethod
    def of(cls, scores: Mapping[int, float]) -> Self:
        """The documents that have a score."""
        places = sorted(scores, key=lambda place: (-scores[place], place))
        return cls(np.array(places, np.int64), np.array([scores[place] for place in places], np.float64))

    def above(self, least: float) -> Self:
        """Those that score more than `least`."""
        kept = self.scores > least
        return type(self)(self.places[kept], self.scores[kept])

    def first(self, count: int) -> Self:
        """The best `count`."""
        return type(self)(self.places[:count], self.scores[:count])
