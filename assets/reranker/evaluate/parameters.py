"""Parameters of ``retrieval_evaluation``."""

from typing import Literal

from pydantic import Field

from heddle.core.parameters.section import Section


class RetrievalEvaluationParameters(Section):
    """Which questions are asked, and how sure the answers are."""

    queries: Literal["test", "all"] = Field(
        description="test: those that no training may see; all: as long as nothing has been trained on any of them"
    )
    resamples: int = Field(ge=100, description="bootstrap resamples of the questions")
    confidence: float = Field(gt=0, lt=1, description="share of the resamples inside each interval")
    examples: int = Field(ge=0, description="questions that examples.parquet shows with their hits")
