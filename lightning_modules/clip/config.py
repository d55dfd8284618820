"""Configuration of :class:`lightning_modules.clip.clip.Clip`: ``config.json`` and the parameters of the network.

No torch here: the parameter sections import these classes, and reading parameters must stay quick.
"""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from lightning_modules.image.config import Channels, ImageTower
from lightning_modules.layers.config import TransformerShape
from lightning_modules.layers.config_types import STRICT, Size


@dataclass(frozen=True, config=STRICT)
class TextTower(TransformerShape):
    """A causal transformer whose state at the end token stands for the text (Radford et al. 2021).

    ``context`` counts start and end; longer texts are cut.
    """


@dataclass(frozen=True, config=STRICT)
class ClipConfig:
    """Everything that :class:`lightning_modules.clip.clip.Clip` needs to be built and fed."""

    image: ImageTower
    text: TextTower
    embedding: Size
    """Dimensions of the space that both towers share."""
    image_size: Size
    """Side of the square images in pixels."""
    image_fit: Literal["crop", "pad"]
    """How an image was made square."""
    image_mean: Channels
    """Taken off the pixels before the tower."""
    image_std: Channels
    """What the pixels are then divided by."""
    vocabulary: Size
    """Tokens that the tokenizer knows."""
    pad_token: Annotated[int, Field(ge=0)]
    end_token: Annotated[int, Field(ge=0)]
