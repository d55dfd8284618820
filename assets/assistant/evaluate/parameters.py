"""Parameters of ``assistant_evaluation``."""

from pydantic import Field

from heddle.core.parameters.section import Section


class AssistantEvaluationParameters(Section):
    """How answers are generated and how sure their numbers are."""

    examples: int = Field(ge=0, description="conversations in examples.parquet")
