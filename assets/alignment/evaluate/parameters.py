"""Parameters of ``alignment_evaluation``."""

from pydantic import Field

from heddle.core.parameters.section import Section


class AlignmentEvaluationParameters(Section):
    """How sure the answers are."""

    resamples: int = Field(ge=100, description="bootstrap resamples of the queries")
    confidence: float = Field(gt=0, lt=1, description="share of the resamples inside each interval")
