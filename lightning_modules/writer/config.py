"""The shape of a :class:`lightning_modules.writer.writer.Writer`: dataclasses, its ``config.json`` and its parameters.

No torch here: reading parameters must stay quick.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from lightning_modules.image.config import Channels, ImageTower
from lightning_modules.layers.config import TransformerConfig
from lightning_modules.layers.config_types import STRICT, Share, Size

Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, config=STRICT)
class SceneShape:
    """How objects and their relations are read."""

    nodes: Size
    """Width of an object's state."""
    edges: Size
    """Width of a relation's features."""
    layers: Count
    """Graph convolutions; with 0 no object hears of another."""
    relation_tokens: bool
    """Each relation is also a token of its own, made of what it joins."""
    max_objects: Size
    """Largest objects that are read; relations of others are left out."""


@dataclass(frozen=True, config=STRICT)
class CrossModalShape:
    """Attention between the image's tokens and all others, in both directions."""

    heads: Size


@dataclass(frozen=True, config=STRICT)
class FusionShape:
    """How image and words become one vector; the mean of both where no level is on."""

    early: bool
    """Side by side through dense layers."""
    mid: bool
    """Their product and their sum through dense layers."""
    late: bool
    """Attention of a learned query to all that there is."""
    dropout: Share


@dataclass(frozen=True, config=STRICT)
class WriterShape:
    """What the parameters choose of a writer."""

    scene: SceneShape | None
    """None: objects and relations are not read."""
    cross_modal: CrossModalShape | None
    """None: each kind of token goes to the decoder as it is."""
    fusion: FusionShape
    decoder: TransformerConfig
    """Its width is that of all tokens."""
    text: TransformerConfig
    """The tower that reads words, of the decoder's width."""
    clauses: Size
    """Of a context; further ones are not read."""
    embedding: Size
    """Dimensions of the space where images and texts are compared."""
    checkpointing: bool
    """The decoder's layers keep their inputs only and compute again on the way back: less memory, more time."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.text.width != self.decoder.width:
            raise ValueError(f"text.width {self.text.width} and decoder.width {self.decoder.width} must be equal")
        if self.cross_modal is not None and self.decoder.width % self.cross_modal.heads:
            raise ValueError(
                f"cross_modal.heads {self.cross_modal.heads} must divide decoder.width {self.decoder.width}"
            )
        if self.decoder.positions == "learned":
            raise ValueError(
                "decoder.positions: learned ones end with the context, while a text ends with its fields' limits only; "
                "use rotary, alibi or sinusoidal"
            )
        return self


@dataclass(frozen=True, config=STRICT)
class WriterConfig(WriterShape):
    """Everything that :class:`lightning_modules.writer.writer.Writer` needs to be built and fed."""

    image: ImageTower
    image_size: Size
    """Side of the square images in pixels."""
    image_fit: Literal["crop", "pad"]
    """How an image was made square."""
    image_mean: Channels
    """Taken off the pixels before the tower."""
    image_std: Channels
    """What the pixels are then divided by."""
    vocabulary: Size
    """Tokens with the control tokens."""
    pad_token: Annotated[int, Field(ge=0)]

    @property
    def max_objects(self) -> int:
        """Most objects of an image that are read."""
        return 0 if self.scene is None else self.scene.max_objects
