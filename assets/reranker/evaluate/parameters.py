"""Parameters of ``retrieval_evaluation``."""

from typing import Literal

from pydantic import Field

from heddle.core.parameters.section import Section


class RetrievalEvaluationParameters(Section):
    """The queries to evaluate and to show."""

    queries: Literal["test", "all"] = Field(
        description="test: queries of the test split; all: every query, valid only if no model was trained on them"
    )
    examples: int = Field(ge=0, description="queries in examples.parquet")
