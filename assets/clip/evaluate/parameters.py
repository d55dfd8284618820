"""Parameters of ``clip_evaluation``."""

from pydantic import Field, field_validator

from heddle.core.parameters.section import Section


class ClipEvaluationParameters(Section):
    """Section `clip_evaluation`."""

    templates: tuple[str, ...] = Field(
        min_length=1,
        description="zero-shot prompts with one {} for the item; their mean embedding is its prototype",
    )
    examples: int = Field(ge=0, description="number of retrievals in examples.parquet")

    @field_validator("templates")
    @classmethod
    def _one_gap(cls, templates: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [template for template in templates if template.count("{}") != 1]
        if wrong:
            raise ValueError(f"each template needs exactly one {{}}, unlike {wrong[0]!r}")
        return templates
