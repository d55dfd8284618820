"""Parameters of ``tokenizer``."""

from pydantic import Field

from heddle.core.parameters.section import Section


class TokenizerParameters(Section):
    """How large the vocabulary grows."""

    vocabulary: int = Field(ge=300, description="largest number of tokens, the 256 bytes and special ones included")
    least_count: int = Field(ge=1, description="how often a pair must stand in the words to become a token")
