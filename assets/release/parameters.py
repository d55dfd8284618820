"""Section `release`: facts of the model cards that only the owner knows."""

from pydantic import Field

from heddle.core.parameters.section import Section


class ReleaseParameters(Section):
    """Licence and languages of the released models."""

    licence: str = Field(
        default="apache-2.0",
        min_length=1,
        description="licence of the weights: an SPDX or Hugging Face identifier, or other words",
    )
    languages: tuple[str, ...] = Field(default=("en",), description="languages of the listings, ISO 639-1")
