"""Parameters of ``retrieval_evaluation``."""

from typing import Literal

from pydantic import Field

from heddle.core.parameters.section import Section


class RetrievalEvaluationParameters(Section):
    """Which questions are asked, and how sure the answers are."""

    queries: Literal["test", "all"] = Field(
        description="test: those that no training may see; all: as long as nothing has been trained on any of them"
    )
    examples: int = Field(ge=0, description="questions that examples.parquet shows with their hits")
