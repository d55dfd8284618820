"""Section `retrieval`: how guides are found for a question."""

from typing import Self

from pydantic import Field, model_validator

from heddle.core.parameters.section import Section


class Feedback(Section):
    """Pseudo-relevance feedback: the question is expanded with words of the first guides found."""

    guides: int = Field(default=5, ge=1, le=100, description="first guides that count as relevant")
    stems: int = Field(default=20, ge=1, le=1000, description="stems of these guides that are added to the question")
    alpha: float = Field(default=0.3, ge=0, le=1, description="weight of the added stems against the question's own")


class Bands(Section):
    """Bounds of the confidence bands high, medium and low; the bounds belong to medium."""

    high: float = Field(default=0.3, gt=0, lt=1, description="confidence above this value is high")
    medium: float = Field(default=0.1, gt=0, lt=1, description="confidence below this value is low")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.medium > self.high:
            raise ValueError("medium must not be above high")
        return self


class RetrievalParameters(Section):
    """Fusion of the dense and the sparse ranking, query expansion and reranking."""

    rank_constant: int = Field(default=60, ge=0, description="k of reciprocal rank fusion")
    dense_weight: float = Field(
        default=0.6, ge=0, le=1, description="weight of dense scores in weighted fusion; sparse scores get the rest"
    )
    depth: int = Field(default=1000, ge=1, description="guides of each ranking that are fused")
    rerank: int = Field(default=100, ge=1, description="first guides that the reranker scores; no training reads this")
    feedback: Feedback = Field(default=Feedback(), description="query expansion")
    bands: Bands = Field(default=Bands(), description="bands of the confidence (s1 - s2) / s1")
