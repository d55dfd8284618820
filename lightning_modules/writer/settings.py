"""Settings of the writer's training.

This module imports no torch: the parameter sections import it, and reading parameters must be fast.
"""

from typing import Annotated, Literal

from pydantic import Field

from lightning_modules.training.settings import Settings

FieldName = Literal[
    "alt_text", "caption", "title", "description", "tags", "categories", "seo_title", "seo_description", "body"
]
"""Names in ``lightning_modules.writer.content_fields.FIELDS``."""
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]


class SamplingSettings(Settings):
    """How a training example is drawn from a listing."""

    field_shares: dict[FieldName, Share] = Field(
        default={}, description="probability that a field is part of the example; 1 for fields not named"
    )
    context_dropout: Share = Field(
        default=0.5, description="probability that the context is removed, and the facts where objects are known"
    )
    corruption_ratio: Share = Field(
        default=0.15, description="share of examples with an inserted error, used for error detection only"
    )
    max_text_tokens: int = Field(default=77, ge=1, description="tokens of the text tower's input; the rest is cut off")
    mask_ratio: Share = Field(default=0.15, description="share of the text's tokens that are masked and predicted")
    length_buckets: int = Field(
        default=4, ge=1, description="groups of examples of similar length per batch; more groups, less padding"
    )


class LossWeights(Settings):
    """Weight of each loss in the sum."""

    generation: Weight = Field(default=1.0, description="cross-entropy of the content's tokens")
    contrastive: Weight = Field(default=0.1, description="contrastive loss of listings and texts")
    masked: Weight = Field(default=0.1, description="cross-entropy of the masked tokens")
    quality: Weight = Field(default=0.1, description="squared error of the score of rubric and readability")
    error_detection: Weight = Field(default=0.2, description="cross-entropy of whether a field contains an error")
