"""Parameters of ``clip_evaluation``."""

from pydantic import Field, field_validator

from heddle.core.parameters.section import Section


class ClipEvaluationParameters(Section):
    """How the dual encoder is asked, and how sure the answers are."""

    templates: tuple[str, ...] = Field(
        min_length=1, description="sentences with one {} for the item; an item's vector is the mean over all of them"
    )
    resamples: int = Field(ge=100, description="bootstrap resamples of the test listings")
    confidence: float = Field(gt=0, lt=1, description="share of the resamples inside each interval")
    examples: int = Field(ge=0, description="retrievals that examples.parquet shows")

    @field_validator("templates")
    @classmethod
    def _one_gap(cls, templates: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [template for template in templates if template.count("{}") != 1]
        if wrong:
            raise ValueError(f"each template needs exactly one {{}}, unlike {wrong[0]!r}")
        return templates
