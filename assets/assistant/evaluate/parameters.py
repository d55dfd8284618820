"""Parameters of ``assistant_evaluation``."""

from pydantic import Field

from heddle.core.parameters.section import Section


class AssistantEvaluationParameters(Section):
    """How answers are generated and how sure their numbers are."""

    resamples: int = Field(ge=1, description="of the bootstrap")
    confidence: float = Field(gt=0, lt=1, description="share of the resampled values within the interval")
    examples: int = Field(ge=0, description="conversations in examples.parquet")
