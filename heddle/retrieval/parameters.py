"""Section `retrieval`: how guides are found for a question. Shared by whatever asks for guides."""

from typing import Self

from pydantic import Field, model_validator

from heddle.core.parameters.section import Section


class Feedback(Section):
    """Pseudo-relevance feedback: the first guides found say what else to look for."""

    guides: int = Field(default=5, ge=1, le=100, description="first guides that are taken for relevant")
    stems: int = Field(default=20, ge=1, le=1000, description="of their words that are added to the question's")
    alpha: float = Field(default=0.3, ge=0, le=1, description="what they add weighs as much against the question")


class Bands(Section):
    """Bounds of the three bands of confidence; what lies between them is medium, the bounds included."""

    high: float = Field(default=0.3, gt=0, lt=1, description="confidence above this is high")
    medium: float = Field(default=0.1, gt=0, lt=1, description="confidence below this is low")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.medium > self.high:
            raise ValueError("medium must not be above high")
        return self


class RetrievalParameters(Section):
    """How the two rankings, by meaning and by words, become one."""

    rank_constant: int = Field(default=60, ge=0, description="k of reciprocal rank fusion")
    dense_weight: float = Field(
        default=0.6, ge=0, le=1, description="of the scores by meaning in weighted fusion; the words have the rest"
    )
    depth: int = Field(default=1000, ge=1, description="guides of each ranking that are fused")
    rerank: int = Field(default=100, ge=1, description="first guides that a reranker reads")
    feedback: Feedback = Field(default=Feedback(), description="expansion of the question")
    bands: Bands = Field(default=Bands(), description="of confidence")
