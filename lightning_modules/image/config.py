"""The shapes of :class:`lightning_modules.image.image_tower.ImageEncoder`: parts of each network's ``config.json``.

This module imports no torch: the parameter sections import it, and reading parameters must be fast.
"""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from lightning_modules.layers.config_types import STRICT, Share, Size

Factor = Annotated[float, Field(gt=0)]
Channels = tuple[float, float, float]
"""One number each for red, green and blue, in [0, 1]."""
OutputStride = Literal[8, 16, 32]
"""Pixels of the image to one of the last map; a small stride keeps more detail of small images."""


@dataclass(frozen=True, config=STRICT)
class ClipVitTower:
    """A vision transformer as CLIP builds it (Radford et al. 2021): a norm before the first layer as well."""

    kind: Literal["clip_vit"] = "clip_vit"
    patch_size: Size = 32
    """Side of a patch, pixels; it must divide the images' side."""
    hidden_size: Size = 768
    num_layers: Size = 12
    num_heads: Size = 12
    intermediate_size: Size = 3072
    """Width of the hidden layer of each feed-forward block."""
    activation: str = "quick_gelu"
    """Transformers' name: ``quick_gelu`` as in CLIP, ``gelu``, …"""


@dataclass(frozen=True, config=STRICT)
class VitTower:
    """A vision transformer (Dosovitskiy et al. 2021): norm first, class token, learned positions."""

    kind: Literal["vit"] = "vit"
    patch_size: Size = 16
    """Side of a patch, pixels; it must divide the images' side."""
    hidden_size: Size = 768
    num_layers: Size = 12
    num_heads: Size = 12
    intermediate_size: Size = 3072
    """Width of the hidden layer of each feed-forward block."""
    activation: str = "gelu"
    """Transformers' name: ``gelu``, …"""
    dropout: Share = 0.0
    """Dropout after the positions and after each half of a layer."""


@dataclass(frozen=True, config=STRICT)
class ResNetTower:
    """A residual network (He et al. 2016): 7x7 stem with stride 4, then stages that halve the side, then the mean."""

    kind: Literal["resnet"] = "resnet"
    layer_type: Literal["basic", "bottleneck"] = "bottleneck"
    embedding_size: Size = 64
    """Channels after the stem."""
    hidden_sizes: tuple[Size, ...] = (256, 512, 1024, 2048)
    """Channels of each stage."""
    depths: tuple[Size, ...] = (3, 4, 6, 3)
    """Blocks of each stage."""


@dataclass(frozen=True, config=STRICT)
class MobileNetV2Tower:
    """Inverted residuals with linear bottlenecks (Sandler et al. 2018), then the mean: 1280 features."""

    kind: Literal["mobilenet_v2"] = "mobilenet_v2"
    depth_multiplier: Factor = 1.0
    """Factor of the paper's channels; the last layer is never narrower than the paper's."""
    output_stride: OutputStride = 32
    """Below 32 the last stages keep the size of their maps and use dilated convolutions instead."""


@dataclass(frozen=True, config=STRICT)
class EfficientNetTower:
    """A compound-scaled network (Tan and Le 2019), then the mean. B0: both coefficients are 1, 1280 features."""

    kind: Literal["efficientnet"] = "efficientnet"
    width_coefficient: Factor = 1.0
    """Factor of B0's channels."""
    depth_coefficient: Factor = 1.0
    """Factor of B0's blocks."""
    output_stride: OutputStride = 32
    """Below 32 the last stages keep the size of their maps."""
    drop_connect_rate: Share = 0.2
    """Dropout of a block's own part, growing from 0 at the first block to nearly this at the last."""
    odd_blocks: tuple[int, ...] = ()
    """Blocks, from 0, that pad both sides alike where they halve a map, as Keras does with odd sides."""


ImageTower = Annotated[
    ClipVitTower | VitTower | ResNetTower | MobileNetV2Tower | EfficientNetTower, Field(discriminator="kind")
]

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
"""Radford et al.'s own constants; any fixed values do for a network that learns from scratch."""
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)


def usual_normalisation(tower: ImageTower) -> tuple[Channels, Channels]:
    """Mean and standard deviation of the pixels as the kind's authors took them; with 0.5 they lie in [-1, 1]."""
    match tower:
        case ClipVitTower():
            return CLIP_MEAN, CLIP_STD
        case VitTower() | MobileNetV2Tower():
            return HALF, HALF
        case ResNetTower() | EfficientNetTower():
            return IMAGENET_MEAN, IMAGENET_STD
