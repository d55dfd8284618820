"""Parameters of ``shards``."""

from typing import Literal

from pydantic import Field

from heddle.core.parameters.section import Section


class ShardsParameters(Section):
    """How images are re-encoded and how many share a tar."""

    image_size: int = Field(ge=8, le=4096, description="side of the square training images, pixels")
    fit: Literal["crop", "pad"] = Field(description="square by cutting to the middle or by white borders")
    quality: int = Field(ge=1, le=95, description="JPEG quality, libjpeg's scale")
    listings_per_shard: int = Field(ge=1, description="listings to a tar")
