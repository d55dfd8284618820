"""Search by words: BM25 over English stems, saved so that equal texts give equal bytes.

Scores are, term by term, idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length)) with
idf = ln(1 + (N - df + 0.5) / (df + 0.5)): Lucene's variant with the numerator of Robertson et al., which scales all
scores alike. Source: Kamphuis et al., "Which BM25 do you mean?", ECIR 2020; bm25s.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import bm25s
import numpy as np
import Stemmer

WORDS_MISSING = ""  # bm25s' own token for texts without words


class WordIndex:
    """BM25 over a list of texts; a text is known by its position.

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
            k1: saturation of a term's frequency.
            b: weight of a text's length, in [0, 1].
        """
        tokens = tokenise(texts)
        # bm25s numbers stems in the order of a Python set, which differs from run to run: number them sorted.
        vocabulary = {stem: number for number, stem in enumerate(sorted({stem for text in tokens for stem in text}))}
        vocabulary.setdefault(WORDS_MISSING, len(vocabulary))
        retriever = bm25s.BM25(method="lucene", k1=k1, b=b)
        numbers = [[vocabulary[stem] for stem in text] for text in tokens]
        with np.errstate(invalid="ignore"):  # texts without a single word have a mean length of 0
            retriever.index((numbers, vocabulary), show_progress=False)
        return cls(retriever)

    def save(self, folder: Path) -> None:
        """Write the index as .npy arrays and JSON, nothing pickled."""
        self._retriever.save(folder, show_progress=False)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            FileNotFoundError: a file of the index is missing.
        """
        return cls(bm25s.BM25.load(folder, show_progress=False))

    @property
    def stems(self) -> int:
        """How many different stems the texts hold."""
        return len(self._retriever.vocab_dict) - 1  # without the one for texts that have none

    def scores(self, query: str) -> np.ndarray:
        """The score of every text for a query, float32 (texts,); 0 where they share no stem."""
        return self.weighted_scores(Counter(tokenise([query])[0]))

    def weighted_scores(self, stems: Mapping[str, float]) -> np.ndarray:
        """As :meth:`scores`, for a query whose stems count as much as their weights say, float32 (texts,)."""
        columns = self._retriever.scores  # one a stem, compressed: the texts that use it and what each gains
        scores = np.zeros(columns["num_docs"], dtype=np.float32)
        for stem, weight in stems.items():
            place = self._column(stem)
            scores[columns["indices"][place]] += np.float32(weight) * columns["data"][place]
        return scores * np.float32(self._retriever.k1 + 1)

    def rarity(self, stem: str) -> float:
        """ln(N / df): how much a stem tells one text from another; 0 for one that stands in all or in none."""
        place = self._column(stem)
        using = place.stop - place.start
        return math.log(self._retriever.scores["num_docs"] / using) if using else 0.0

    def _column(self, stem: str) -> slice:
        number = self._retriever.vocab_dict.get(stem)
        if number is None or stem == WORDS_MISSING:
            return slice(0, 0)
        ends = self._retriever.scores["indptr"]
        return slice(int(ends[number]), int(ends[number + 1]))


def tokenise(texts: Sequence[str]) -> list[list[str]]:
    """Lower-case words of two letters or more, without English stop words, as Snowball stems."""
    stemmer = Stemmer.Stemmer("english")
    tokens = bm25s.tokenize(list(texts), stopwords="en", stemmer=stemmer, return_ids=False, show_progress=False)
    return [list(text) for text in tokens]
