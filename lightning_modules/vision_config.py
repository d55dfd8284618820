"""The shape of a :class:`lightning_modules.vision.Vision`: the dataclass that is its ``config.json``.

No torch here: reading parameters must stay quick.
"""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from lightning_modules.image_tower_config import STRICT, Channels, ImageTower, Share, Size


@dataclass(frozen=True, config=STRICT)
class VisionConfig:
    """Everything that :class:`lightning_modules.vision.Vision` needs to be built and fed."""

    image: ImageTower
    image_size: Size
    """Side of the square pictures in pixels."""
    image_fit: Literal["crop", "pad"]
    """How a picture was made square."""
    image_mean: Channels
    """Taken off the pixels before the tower."""
    image_std: Channels
    """What the pixels are then divided by."""
    heads: Annotated[dict[str, Annotated[tuple[str, ...], Field(min_length=2)]], Field(min_length=1)]
    """Kind of label -> its classes, in the order of the logits."""
    dropout: Share
    """Between the tower and the heads."""
