"""Keyword search: BM25 over English stems. Equal texts give an index of equal bytes.

Scores are, term by term, idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length)) with
idf = ln(1 + (N - df + 0.5) / (df + 0.5)): the variant of Lucene with the numerator of Robertson et al., which
multiplies all scores by the same factor. Source: Kamphuis et al., "Which BM25 do you mean?", ECIR 2020; bm25s.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import bm25s
import numpy as np
import Stemmer

from heddle.core.errors import naming

EMPTY_TOKEN = ""  # of bm25s, for texts without words


class BM25Index:
    """BM25 over a list of texts. A text is identified by its index in the list.

    Args:
        retriever: a built bm25s index.
    """

    def __init__(self, retriever: bm25s.BM25) -> None:
        self._retriever = retriever

    @classmethod
    def build(cls, texts: Sequence[str], k1: float, b: float) -> Self:
        """Index texts.

        Args:
            texts: at least one; each may be empty.
            k1: saturation of the term frequency.
            b: strength of the length normalisation, in [0, 1].
        """
        tokens = tokenise(texts)
        # bm25s numbers stems in the order of a Python set, which differs from run to run. Sorted numbers do not.
        vocabulary = {stem: number for number, stem in enumerate(sorted({stem for text in tokens for stem in text}))}
        vocabulary.setdefault(EMPTY_TOKEN, len(vocabulary))
        retriever = bm25s.BM25(method="lucene", k1=k1, b=b)
        numbers = [[vocabulary[stem] for stem in text] for text in tokens]
        with np.errstate(invalid="ignore"):  # the mean length is 0 if no text contains a word
            retriever.index((numbers, vocabulary), show_progress=False)
        return cls(retriever)

    def save(self, folder: Path) -> None:
        """Write the index as .npy arrays and JSON, without pickles."""
        self._retriever.save(folder, show_progress=False)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read an index that :meth:`save` wrote.

        Raises:
            FileNotFoundError: a file of the index is missing.
        """
        with naming(folder):
            return cls(bm25s.BM25.load(folder, show_progress=False))

    @property
    def vocab_size(self) -> int:
        """Number of different stems in the texts."""
        return len(self._retriever.vocab_dict) - 1  # EMPTY_TOKEN does not count

    def scores(self, query: str) -> np.ndarray:
        """Score of every text for a query, float32 (texts,); 0 if text and query share no stem."""
        return self.weighted_scores(Counter(tokenise([query])[0]))

    def weighted_scores(self, stems: Mapping[str, float]) -> np.ndarray:
        """Score of every text for weighted stems, float32 (texts,). :meth:`scores` weighs a stem by its count."""
        columns = self._retriever.scores  # compressed sparse columns, one for each stem
        scores = np.zeros(columns["num_docs"], dtype=np.float32)
        for stem, weight in stems.items():
            column = self._column(stem)
            scores[columns["indices"][column]] += np.float32(weight) * columns["data"][column]
        return scores * np.float32(self._retriever.k1 + 1)

    def rarity(self, stem: str) -> float:
        """ln(N / df) of a stem, its inverse document frequency; 0 if all texts or none contain it."""
        column = self._column(stem)
        frequency = column.stop - column.start
        return math.log(self._retriever.scores["num_docs"] / frequency) if frequency else 0.0

    def _column(self, stem: str) -> slice:
        number = self._retriever.vocab_dict.get(stem)
        if number is None or stem == EMPTY_TOKEN:
            return slice(0, 0)
        ends = self._retriever.scores["indptr"]
        return slice(int(ends[number]), int(ends[number + 1]))


def tokenise(texts: Sequence[str]) -> list[list[str]]:
    """Split texts into Snowball stems of lower-case words of two letters or more, without English stop words."""
    stemmer = Stemmer.Stemmer("english")
    tokens = bm25s.tokenize(list(texts), stopwords="en", stemmer=stemmer, return_ids=False, show_progress=False)
    return [list(text) for text in tokens]
