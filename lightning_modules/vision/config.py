"""The shape of a :class:`lightning_modules.vision.vision.Vision`: the dataclass that is its ``config.json``.

This module imports no torch: reading parameters must be fast.
"""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from lightning_modules.image.config import Channels, ImageTower
from lightning_modules.layers.config_types import STRICT, Share, Size


@dataclass(frozen=True, config=STRICT)
class VisionConfig:
    """Everything that :class:`lightning_modules.vision.vision.Vision` needs to be built and fed."""

    image: ImageTower
    image_size: Size
    """Side of the square images in pixels."""
    resize_mode: Literal["crop", "pad"]
    """How an image was made square."""
    image_mean: Channels
    """Subtracted from the pixels before the tower."""
    image_std: Channels
    """Divisor of the pixels after that."""
    heads: Annotated[dict[str, Annotated[tuple[str, ...], Field(min_length=2)]], Field(min_length=1)]
    """Kind of label -> its classes, in the order of the logits."""
    dropout: Share
    """Dropout between the tower and the heads."""
