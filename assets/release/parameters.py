"""Section `release`: what the model cards say that no stage can know."""

from pydantic import Field

from heddle.core.parameters.section import Section


class ReleaseParameters(Section):
    """The owner's word on the released models."""

    licence: str = Field(min_length=1, description="of the weights, a Hugging Face licence identifier: apache-2.0")
    languages: tuple[str, ...] = Field(description="of the listings' words, ISO 639-1: [en]")
