"""How a writer learns, as typed settings of its section.

No torch here: the parameter sections import these classes, and reading parameters must stay quick.
"""

from typing import Annotated, Literal

from pydantic import Field

from lightning_modules.training.settings import Settings

FieldName = Literal[
    "alt_text", "caption", "title", "description", "tags", "categories", "seo_title", "seo_description", "body"
]
"""Of ``lightning_modules.writer.content_fields.FIELDS``."""
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]


class LessonSettings(Settings):
    """What is drawn of a listing each time that it is learned from."""

    field_shares: dict[FieldName, Share] = Field(description="chance of each field to be told; 1 for those not named")
    context_lost: Share = Field(description="chance of context, and of facts, to be unknown where the objects are")
    corrupted: Share = Field(description="share of lessons with an error, from which only its finding is learned")
    text: int = Field(ge=1, description="most tokens of the text that the text tower reads")
    masked: Share = Field(description="share of a text's tokens that the text tower must guess")
    buckets: int = Field(ge=1, description="groups of lessons of similar length to a batch: less padding")


class LossWeights(Settings):
    """Of each loss in the sum."""

    generation: Weight = Field(description="cross-entropy of the content's tokens")
    contrastive: Weight = Field(description="which text belongs to which listing")
    masked: Weight = Field(description="cross-entropy of the text tower's guesses")
    quality: Weight = Field(description="squared error of the score of rubric and readability")
    wrong: Weight = Field(description="cross-entropy of whether a field has an error")
