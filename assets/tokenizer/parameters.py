"""Section `tokenizer`: the byte-level BPE tokenizer."""

from pydantic import Field

from heddle.core.parameters.section import Section


class TokenizerParameters(Section):
    """Size of the vocabulary."""

    vocab_size: int = Field(default=49408, ge=300, description="largest number of tokens, with 256 bytes and controls")
    min_frequency: int = Field(default=2, ge=1, description="smallest count of a pair that becomes a token")
