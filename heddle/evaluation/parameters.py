"""What the parameters of every classifier's evaluation have in common."""

from pydantic import Field

from heddle.core.parameters.section import Section


class ClassifierEvaluationParameters(Section):
    """How sure the numbers are, and how many mistakes are shown."""

    resamples: int = Field(ge=100, description="bootstrap resamples of the test listings")
    confidence: float = Field(gt=0, lt=1, description="share of the resamples inside each interval")
    mistakes: int = Field(ge=0, description="surest mistakes of each label in mistakes.parquet")
