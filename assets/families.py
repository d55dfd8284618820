"""All model families, in the order in which pages and tables show them. A new family is one line in the tuple."""

from assets.alignment.family import ALIGNMENT
from assets.assistant.family import ASSISTANT
from assets.clip.family import CLIP
from assets.product.family import PRODUCT
from assets.recommender.family import RECOMMENDER
from assets.reranker.family import RERANKER
from assets.vision.family import VISION
from assets.writer.family import WRITER

FAMILIES = (
    CLIP,
    VISION,
    PRODUCT,
    WRITER,
    RECOMMENDER,
    ALIGNMENT,
    RERANKER,
    ASSISTANT,
)

RELEASED = tuple(family for family in FAMILIES if family.release is not None)
"""The families whose models are released and registered."""
