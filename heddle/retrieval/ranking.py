"""Documents in descending order of score. A document is identified by its index in the collection, from 0."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ranking:
    """Documents, best first; documents of equal score in ascending order of index.

    Attributes:
        indices: of the documents, without repetition, (N,).
        scores: in descending order, (N,).
    """

    indices: NDArray[np.int64]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.indices)

    @classmethod
    def top(cls, scores: NDArray[np.floating], depth: int) -> Self:
        """The `depth` best of all documents.

        Args:
            scores: of every document, by index, (documents,).
            depth: maximum length of the ranking.
        """
        indices = np.argsort(-scores, kind="stable")[:depth]
        return cls(indices, scores[indices].astype(np.float64))

    @classmethod
    def from_scores(cls, scores: Mapping[int, float]) -> Self:
        """Rank the documents of a mapping from index to score."""
        indices = sorted(scores, key=lambda index: (-scores[index], index))
        return cls(np.array(indices, np.int64), np.array([scores[index] for index in indices], np.float64))

    def above(self, threshold: float) -> Self:
        """The documents that score more than `threshold`."""
        kept = self.scores > threshold
        return type(self)(self.indices[kept], self.scores[kept])

    def head(self, count: int) -> Self:
        """The first `count` documents."""
        return type(self)(self.indices[:count], self.scores[:count])


EMPTY_RANKING = Ranking.from_scores({})
