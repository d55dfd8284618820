"""Parameters of ``assistant_evaluation``."""

from pydantic import Field

from heddle.core.parameters.section import Section


class AssistantEvaluationParameters(Section):
    """Section `assistant_evaluation`."""

    examples: int = Field(ge=0, description="number of conversations in examples.parquet")
