"""Section `index`: what a search runs on."""

from pydantic import Field

from assets.parameters.section import Section


class IndexParameters(Section):
    """How listings are embedded and their words are weighed."""

    thumbnail: int = Field(ge=16, le=1024, description="longest side of the pictures shown with a hit, pixels")
    k1: float = Field(ge=0, le=10, description="BM25: how soon more of the same word stops counting")
    b: float = Field(ge=0, le=1, description="BM25: how much long documents are held back")
