"""The steps of retrieval: rank, fuse, expand, rerank. :class:`heddle.retrieval.retriever.Retriever` joins them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from heddle.retrieval.confidence import confidence_in
from heddle.retrieval.config import Mode
from heddle.retrieval.expansion import document_weights, expanded_stems, expanded_vector
from heddle.retrieval.fusion import reciprocal_rank_fusion, weighted_fusion
from heddle.retrieval.guide_index import GuideIndex
from heddle.retrieval.lexical.bm25 import BM25Index, tokenise
from heddle.retrieval.parameters import Feedback, RetrievalParameters
from heddle.retrieval.query import EncodedQuery
from heddle.retrieval.ranking import EMPTY_RANKING, Ranking


class PairScorer(Protocol):
    """Scores pairs of a query and a text, as a cross-encoder does."""

    def scores(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Relevance of each text to the query, larger is better, (N,)."""
        ...


@dataclass(frozen=True)
class RankedGuides:
    """The guides found for a query.

    Attributes:
        ranking: the guides, best first.
        scoring: the ranking whose scores the confidence compares; `ranking` itself unless its scores are fused ranks.
    """

    ranking: Ranking
    scoring: Ranking

    @property
    def confidence(self) -> float:
        """Confidence in the first guide, in [0, 1]; 0 without a guide."""
        return confidence_in(int(self.ranking.indices[0]), self.scoring) if len(self.ranking) else 0.0


NO_GUIDES = RankedGuides(EMPTY_RANKING, EMPTY_RANKING)


def rank(query: EncodedQuery, index: GuideIndex, mode: Mode, depth: int) -> list[Ranking]:
    """Rank the guides by vector similarity, by BM25, or, for the modes that fuse, by both in this order.

    Args:
        query: in the forms to compare.
        index: with at least one guide.
        mode: that determines the rankings.
        depth: maximum length of each ranking.
    """
    rankings = []
    if mode != "bm25":
        rankings.append(Ranking.top(index.vectors @ query.vector, depth))
    if mode != "dense":
        rankings.append(Ranking.top(_bm25(index).weighted_scores(query.stems), depth).above(0))
    return rankings


def fuse(rankings: Sequence[Ranking], mode: Mode, parameters: RetrievalParameters) -> RankedGuides:
    """Fuse the rankings of a mode; a single ranking stays as it is."""
    if len(rankings) == 1:
        return RankedGuides(rankings[0], rankings[0])
    weighted = weighted_fusion(rankings, (parameters.dense_weight, 1 - parameters.dense_weight))
    if mode == "weighted":
        return RankedGuides(weighted, weighted)
    # Fused ranks hold no distances: the first guide of both rankings lies 1.6 % above the second of both, whatever the
    # scores are. The weighted scores of the same rankings show how clearly the first guide leads.
    return RankedGuides(reciprocal_rank_fusion(rankings, parameters.rank_constant), weighted)


def expand(query: EncodedQuery, guides: Ranking, index: GuideIndex, parameters: Feedback) -> EncodedQuery:
    """Expand the stems and the vector of a query with the first guides found for it.

    Args:
        query: to expand; it is returned unchanged if no guide was found.
        guides: found for the query; their scores are the weights of the first `parameters.guides`.
        index: that contains the guides.
        parameters: of the expansion.
    """
    feedback = guides.head(parameters.guides)
    if not len(feedback):
        return query
    weights = document_weights(feedback.scores.tolist())

    def stems() -> Mapping[str, float]:
        documents = tokenise([index.full_text(guide) for guide in feedback.indices.tolist()])
        rarity = _bm25(index).rarity
        return expanded_stems(query.stems, documents, weights, rarity, parameters.stems, parameters.alpha)

    def vector() -> NDArray[np.float32]:
        return expanded_vector(query.vector, index.vectors[feedback.indices], weights, parameters.alpha)

    return EncodedQuery(query.text, stems, vector)


def rerank(query: EncodedQuery, guides: Ranking, index: GuideIndex, reranker: PairScorer, depth: int) -> RankedGuides:
    """Sort the first `depth` guides by the score of the reranker; drop the others."""
    first = guides.head(depth).indices.tolist()
    unread = [guide for guide in first if guide not in query.reranker_scores]
    scores = reranker.scores(query.text, [index.full_text(guide) for guide in unread]).tolist()
    query.reranker_scores.update(zip(unread, scores, strict=True))
    reranked = Ranking.from_scores({guide: query.reranker_scores[guide] for guide in first})
    return RankedGuides(reranked, reranked)


def _bm25(index: GuideIndex) -> BM25Index:
    assert index.bm25 is not None  # an index with guides has one
    return index.bm25
