"""Retrieval of guides for a query: encode, rank, fuse, expand, rerank, confidence."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from heddle.core.stage import DATA
from heddle.retrieval.confidence import Band, band
from heddle.retrieval.config import RetrievalConfig, RetrievalError
from heddle.retrieval.guide_index import GuideIndex
from heddle.retrieval.parameters import RetrievalParameters
from heddle.retrieval.query import EncodedQuery, QueryEncoder
from heddle.retrieval.ranking import Ranking
from heddle.retrieval.steps import NO_GUIDES, PairScorer, RankedGuides, expand, fuse, rank, rerank

DEFAULT_CONFIG = RetrievalConfig()


@dataclass(frozen=True)
class GuideHit:
    """A guide found for a query.

    Attributes:
        id: of the guide.
        title: may be empty.
        text: of the guide, without the title.
        score: cosine, BM25, fused or reranker score, depending on the configuration; larger is better.
    """

    id: str
    title: str
    text: str
    score: float


@dataclass(frozen=True)
class GuideSearchResult:
    """The hits, best first, and the confidence in the first."""

    hits: list[GuideHit]
    confidence: float
    band: Band


class Retriever:
    """Finds guides. Opening takes seconds, a query milliseconds.

    Args:
        index: of the guides; may be empty.
        parameters: of fusion, expansion, reranking and confidence.
        reranker: None if none is available.
        threads: CPU threads of this process, once the encoder is loaded.
    """

    def __init__(
        self, index: GuideIndex, parameters: RetrievalParameters, reranker: PairScorer | None = None, threads: int = 1
    ) -> None:
        self.index, self.parameters, self.reranker = index, parameters, reranker
        self._encode = QueryEncoder(index, threads)

    @classmethod
    def open(
        cls,
        data: Path = DATA,
        parameters: RetrievalParameters = RetrievalParameters(),  # noqa: B008, it is frozen
        reranker: PairScorer | None = None,
        threads: int | None = None,
    ) -> Self:
        """Open the index in a data folder.

        Raises:
            RetrievalError: the index is missing or incomplete.
        """
        try:
            return cls(GuideIndex.open(data / "index"), parameters, reranker, threads or os.cpu_count() or 1)
        except FileNotFoundError as error:
            raise RetrievalError(
                f"no index of guides ({error}): run `heddle run` or `dvc repro index` first"
            ) from error

    def search(self, text: str, config: RetrievalConfig = DEFAULT_CONFIG, top_k: int = 10) -> GuideSearchResult:
        """Find the best guides for a question or keywords.

        Args:
            text: of any length; BM25 reads all of it, the encoder the beginning.
            config: how to retrieve.
            top_k: maximum number of hits.

        Raises:
            RetrievalError: the text is empty, `top_k` is not positive, or a reranker is needed and missing.
        """
        if top_k < 1:
            raise RetrievalError(f"the number of hits must be at least 1, found {top_k}")
        guides = self.retrieve(self.encode(text), config)
        confidence = guides.confidence
        return GuideSearchResult(
            self._hits(guides.ranking.head(top_k)), confidence, band(confidence, self.parameters.bands)
        )

    def encode(self, text: str) -> EncodedQuery:
        """Encode a query once, for retrieval with several configurations.

        Raises:
            RetrievalError: the text is empty.
        """
        return self._encode(text)

    def retrieve(self, query: EncodedQuery, config: RetrievalConfig) -> RankedGuides:
        """Rank the guides for an encoded query.

        Each ranking is cut to `depth` guides before fusion. Reranking keeps only the guides that the reranker read.

        Raises:
            RetrievalError: the configuration reranks, and there is no reranker.
        """
        if config.rerank and self.reranker is None:
            raise RetrievalError("there is no reranker: run `heddle run` or `dvc repro reranker` first")
        if not len(self.index):
            return NO_GUIDES
        index, parameters, mode = self.index, self.parameters, config.mode
        guides = fuse(rank(query, index, mode, parameters.depth), mode, parameters)
        if config.expand:
            expanded = expand(query, guides.ranking, index, parameters.feedback)
            guides = fuse(rank(expanded, index, mode, parameters.depth), mode, parameters)
        if config.rerank and self.reranker is not None:
            guides = rerank(query, guides.ranking, index, self.reranker, parameters.rerank)
        return guides

    def _hits(self, ranking: Ranking) -> list[GuideHit]:
        index = self.index
        return [
            GuideHit(index.ids[guide], index.titles[guide], index.texts[guide], score)
            for guide, score in zip(ranking.indices.tolist(), ranking.scores.tolist(), strict=True)
        ]
