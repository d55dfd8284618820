"""The shape of a :class:`lightning_modules.writer.writer.Writer`: dataclasses, its ``config.json`` and its parameters.

This module imports no torch: reading parameters must be fast.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from lightning_modules.image.config import Channels, ImageTower
from lightning_modules.layers.config import PositionKind, TransformerConfig
from lightning_modules.layers.config_types import STRICT, Share, Size

Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, config=STRICT)
class SceneShape:
    """The encoder of objects and their relations."""

    node_dim: Size = 512
    """Width of an object's state."""
    edge_dim: Size = 128
    """Width of a relation's features."""
    num_layers: Count = 3
    """Graph convolutions; with 0 no message passes between objects."""
    relation_tokens: bool = True
    """Add a token for each relation, made of its two objects."""
    max_objects: Size = 100
    """Number of the largest objects that are encoded; relations of other objects are skipped."""


@dataclass(frozen=True, config=STRICT)
class CrossModalShape:
    """Attention between the image's tokens and all others, in both directions."""

    num_heads: Size = 8


@dataclass(frozen=True, config=STRICT)
class FusionShape:
    """The fusion of image and text to one vector; without any level it is their mean."""

    early: bool = True
    """Concatenation through dense layers."""
    mid: bool = True
    """Product and sum through dense layers."""
    late: bool = True
    """Attention of a learned query to all tokens."""
    dropout: Share = 0.1


@dataclass(frozen=True, config=STRICT)
class WriterDecoder(TransformerConfig):
    """The decoder of the content; its width is the width of all tokens."""

    context_length: Size = 4096
    hidden_size: Size = 1024
    num_layers: Size = 24
    num_heads: Size = 16
    intermediate_size: Size = 4096
    positions: PositionKind = "rotary"
    dropout: Share = 0.1


@dataclass(frozen=True, config=STRICT)
class WriterTextTower(TransformerConfig):
    """The encoder of texts, of the decoder's width."""

    hidden_size: Size = 1024
    num_heads: Size = 16
    intermediate_size: Size = 4096
    positions: PositionKind = "rotary"
    dropout: Share = 0.1


@dataclass(frozen=True, config=STRICT)
class WriterShape:
    """The sizes of a writer that the parameters choose."""

    scene: SceneShape | None = SceneShape()
    """None: no objects and relations."""
    cross_modal: CrossModalShape | None = CrossModalShape()
    """None: each kind of token goes to the decoder unchanged."""
    fusion: FusionShape = FusionShape()
    decoder: WriterDecoder = WriterDecoder()
    text: WriterTextTower = WriterTextTower()
    max_clauses: Size = 64
    """Clauses of a context; further ones are skipped."""
    projection_dim: Size = 512
    """Dimensions of the space in which images and texts are compared."""
    gradient_checkpointing: bool = False
    """Recompute the decoder's layers in the backward pass: less memory, more time."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.text.hidden_size != self.decoder.hidden_size:
            raise ValueError(
                f"text.hidden_size {self.text.hidden_size} and decoder.hidden_size {self.decoder.hidden_size} "
                "must be equal"
            )
        if self.cross_modal is not None and self.decoder.hidden_size % self.cross_modal.num_heads:
            raise ValueError(
                f"cross_modal.num_heads {self.cross_modal.num_heads} must divide "
                f"decoder.hidden_size {self.decoder.hidden_size}"
            )
        if self.decoder.positions == "learned":
            raise ValueError(
                "decoder.positions: found learned, which limit a text to context_length tokens; "
                "allowed: rotary, alibi, sinusoidal"
            )
        return self


@dataclass(frozen=True, config=STRICT, kw_only=True)
class WriterConfig(WriterShape):
    """Everything that :class:`lightning_modules.writer.writer.Writer` needs to be built and fed."""

    image: ImageTower
    image_size: Size
    """Side of the square images in pixels."""
    resize_mode: Literal["crop", "pad"]
    """How an image was made square."""
    image_mean: Channels
    """Subtracted from the pixels before the tower."""
    image_std: Channels
    """Divisor of the pixels after that."""
    vocab_size: Size
    """Tokens, control tokens included."""
    pad_token: Annotated[int, Field(ge=0)]

    @property
    def max_objects(self) -> int:
        """Largest number of objects of an image."""
        return 0 if self.scene is None else self.scene.max_objects
