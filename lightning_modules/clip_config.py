"""The shape of a :class:`lightning_modules.clip.Clip`: dataclasses that are its ``config.json`` and its parameters.

No torch here: the parameter sections import these classes, and reading parameters must stay quick.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

Size = Annotated[int, Field(ge=1)]
STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=STRICT)
class VitTower:
    """A vision transformer (Dosovitskiy et al. 2021) as CLIP builds it: norm first, class token, learned positions."""

    kind: Literal["vit"]
    patch_size: Size
    """Side of a patch in pixels; it must divide the pictures' side."""
    width: Size
    layers: Size
    heads: Size
    feed_forward: Size
    """Width of the hidden layer of each feed-forward block."""
    activation: str
    """Transformers' name: ``quick_gelu`` as in CLIP, ``gelu``, …"""


@dataclass(frozen=True, config=STRICT)
class ResNetTower:
    """A residual network (He et al. 2016): 7x7 stem with stride 4, then stages that halve the side, then the mean."""

    kind: Literal["resnet"]
    block: Literal["basic", "bottleneck"]
    stem: Size
    """Channels after the stem."""
    widths: tuple[Size, ...]
    """Channels of each stage."""
    depths: tuple[Size, ...]
    """Blocks of each stage."""


@dataclass(frozen=True, config=STRICT)
class TextTower:
    """A causal transformer whose state at the end token stands for the text (Radford et al. 2021)."""

    context: Size
    """Tokens, start and end included; longer texts are cut."""
    width: Size
    layers: Size
    heads: Size
    feed_forward: Size
    """Width of the hidden layer of each feed-forward block."""
    activation: str
    """Transformers' name: ``quick_gelu`` as in CLIP, ``gelu``, …"""


ImageTower = Annotated[VitTower | ResNetTower, Field(discriminator="kind")]


@dataclass(frozen=True, config=STRICT)
class ClipConfig:
    """Everything that :class:`lightning_modules.clip.Clip` needs to be built and fed."""

    image: ImageTower
    text: TextTower
    embedding: Size
    """Dimensions of the space that both towers share."""
    image_size: Size
    """Side of the square pictures in pixels."""
    image_fit: Literal["crop", "pad"]
    """How a picture was made square."""
    image_mean: tuple[float, float, float]
    """Of the channels red, green, blue, in [0, 1]; taken off before the tower."""
    image_std: tuple[float, float, float]
    """Of the channels red, green, blue, in [0, 1]; divided by before the tower."""
    vocabulary: Size
    """Tokens that the tokenizer knows."""
    pad_token: Annotated[int, Field(ge=0)]
    end_token: Annotated[int, Field(ge=0)]


CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
"""Radford et al.'s own constants; any fixed values do for a network that learns from scratch."""
