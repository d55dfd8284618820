"""Configuration of :class:`lightning_modules.clip.clip.Clip`: ``config.json`` and the parameters of the network.

This module imports no torch: the parameter sections import it, and reading parameters must be fast.
"""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from lightning_modules.image.config import Channels, ImageTower
from lightning_modules.layers.config import TransformerShape
from lightning_modules.layers.config_types import STRICT, Activation, Size


@dataclass(frozen=True, config=STRICT)
class TextTower(TransformerShape):
    """A causal transformer; its state at the end token represents the text (Radford et al. 2021).

    ``context_length`` includes start and end token; longer texts are cut off.
    """

    activation: Activation = "quick_gelu"
    """Activation of the feed-forward blocks; CLIP uses ``quick_gelu``."""


@dataclass(frozen=True, config=STRICT)
class ClipConfig:
    """Everything that :class:`lightning_modules.clip.clip.Clip` needs."""

    image: ImageTower
    text: TextTower
    projection_dim: Size
    """Dimensions of the space that both towers share."""
    image_size: Size
    """Side of the square images in pixels."""
    resize_mode: Literal["crop", "pad"]
    """How an image was made square."""
    image_mean: Channels
    """Subtracted from the pixels before the tower."""
    image_std: Channels
    """Divisor of the pixels after that."""
    vocab_size: Size
    """Tokens that the tokenizer knows."""
    pad_token: Annotated[int, Field(ge=0)]
    end_token: Annotated[int, Field(ge=0)]
