"""A query in the forms in which it is compared with guides."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heddle.retrieval.config import RetrievalError
from heddle.retrieval.guide_index import GuideIndex
from heddle.retrieval.lexical.bm25 import tokenise


class EncodedQuery:
    """A query as text, stems and vector. Stems and vector are computed at first use, then kept.

    Args:
        text: not empty.
        stems: computes the weight of each stem, for BM25.
        vector: computes the unit vector (D,), for dense retrieval.

    Attributes:
        reranker_scores: index of a guide -> score of the reranker, so that the reranker reads each guide once.
    """

    def __init__(
        self, text: str, stems: Callable[[], Mapping[str, float]], vector: Callable[[], NDArray[np.float32]]
    ) -> None:
        self.text, self._stems, self._vector = text, stems, vector
        self.reranker_scores: dict[int, float] = {}

    @cached_property
    def stems(self) -> Mapping[str, float]:
        """Weight of each stem."""
        return self._stems()

    @cached_property
    def vector(self) -> NDArray[np.float32]:
        """Unit vector, (D,)."""
        return self._vector()


class QueryEncoder:
    """Encodes queries for an index. The sentence encoder is loaded when a vector is first needed.

    Args:
        index: whose encoder is used.
        threads: CPU threads of this process, once the encoder is loaded.
    """

    def __init__(self, index: GuideIndex, threads: int) -> None:
        self._index, self._threads = index, threads

    def __call__(self, text: str) -> EncodedQuery:
        """Encode a query; each stem weighs as often as the query contains it.

        Raises:
            RetrievalError: the text is empty.
        """
        if not text.strip():
            raise RetrievalError("the question is empty: write a question or some keywords")
        return EncodedQuery(text, lambda: Counter(tokenise([text])[0]), lambda: self._embed(text))

    def _embed(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self._encoder.queries([text])[0]
        return vector

    @cached_property
    def _encoder(self) -> Any:
        # Imported here, as torch takes seconds to import and BM25 does not need it.
        from lightning_modules.sentence_encoder.sentence_encoder import SentenceEncoder

        settings = self._index.encoder
        assert settings is not None  # an index with guides has an encoder
        try:
            encoder = SentenceEncoder.from_pretrained(settings.name, self._threads, settings.query_instruction)
        except (OSError, ValueError) as error:
            raise RetrievalError(
                f"cannot load encoder {settings.name!r} of data/index ({error}): set index.encoder and run "
                "`dvc repro index`, or search with BM25 only"
            ) from error
        dimensions = self._index.vectors.shape[1]
        if encoder.dimensions != dimensions:
            raise RetrievalError(
                f"data/index: its vectors have {dimensions} dimensions, encoder {settings.name!r} has "
                f"{encoder.dimensions}: run `dvc repro index`"
            )
        return encoder
