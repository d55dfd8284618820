"""Parameters of ``clip_evaluation``."""

from pydantic import Field, field_validator

from heddle.core.parameters.section import Section


class ClipEvaluationParameters(Section):
    """How the dual encoder is asked, and how sure the answers are."""

    templates: tuple[str, ...] = Field(
        min_length=1, description="sentences with one {} for the item; an item's vector is the mean over all of them"
    )
    examples: int = Field(ge=0, description="retrievals that examples.parquet shows")

    @field_validator("templates")
    @classmethod
    def _one_gap(cls, templates: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [template for template in templates if template.count("{}") != 1]
        if wrong:
            raise ValueError(f"each template needs exactly one {{}}, unlike {wrong[0]!r}")
        return templates
