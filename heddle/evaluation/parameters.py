"""Parameters that several evaluations share."""

from pydantic import Field

from heddle.core.parameters.section import Section


class BootstrapParameters(Section):
    """Section `bootstrap`: how the confidence intervals of all evaluations are computed."""

    samples: int = Field(default=1000, ge=100, description="number of bootstrap resamples of the test examples")
    confidence: float = Field(default=0.95, gt=0, lt=1, description="confidence level of the intervals")


class ClassifierEvaluationParameters(Section):
    """What the evaluation of a classifier shows besides its metrics."""

    mistakes: int = Field(ge=0, description="most confident wrong predictions of each label in mistakes.parquet")
