"""Section `shards`: training images in tars."""

from typing import Literal

from pydantic import Field

from heddle.core.parameters.section import Section


class ShardsParameters(Section):
    """How images are re-encoded and grouped into tars."""

    image_size: int = Field(default=224, ge=8, le=4096, description="side of the square training images, pixels")
    resize_mode: Literal["crop", "pad"] = Field(
        default="pad", description="pad: the whole image with white borders; crop: the middle square"
    )
    quality: int = Field(default=90, ge=1, le=95, description="JPEG quality on libjpeg's scale")
    listings_per_shard: int = Field(default=4096, ge=1, description="listings per tar")
