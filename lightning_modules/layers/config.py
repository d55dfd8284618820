"""The shape of the transformers: dataclasses that stand in parameters and in ``config.json``.

No torch here: the parameter sections import these classes, and reading parameters must stay quick.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from lightning_modules.layers.config_types import STRICT, Activation, LayerNormalization, Share, Size

PositionKind = Literal["learned", "sinusoidal", "rotary", "alibi"]
NormPlace = Literal["first", "last"]


@dataclass(frozen=True, config=STRICT)
class MultiHead:
    """Every query head has keys and values of its own (Vaswani et al. 2017)."""

    kind: Literal["multi_head"]


@dataclass(frozen=True, config=STRICT)
class GroupedQuery:
    """Several query heads share the keys and values of one head (Ainslie et al. 2023): a smaller cache."""

    kind: Literal["grouped_query"]
    key_value_heads: Size
    """It must divide the heads; 1 is multi-query attention."""


Attention = Annotated[MultiHead | GroupedQuery, Field(discriminator="kind")]


@dataclass(frozen=True, config=STRICT)
class TransformerShape:
    """What every stack of transformer layers needs to know, whatever it is used for."""

    context: Size
    """Tokens that it is made for; a learned table of positions has no more."""
    width: Size
    layers: Size
    heads: Size
    feed_forward: Size
    """Width of the hidden layer of each feed-forward block."""
    activation: Activation
    """Of the feed-forward blocks: ``quick_gelu`` as in CLIP, ``gelu``, …"""
    positions: PositionKind = "learned"
    """How a layer learns where a token stands."""
    attention: Attention = MultiHead(kind="multi_head")

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"heads {self.heads} must divide width {self.width}")
        if self.heads % self.key_value_heads:
            raise ValueError(f"attention.key_value_heads {self.key_value_heads} must divide heads {self.heads}")
        if self.positions == "rotary" and self.width // self.heads % 2:
            raise ValueError(f"rotary positions need an even width of each head, found {self.width // self.heads}")
        if self.positions == "sinusoidal" and self.width % 2:
            raise ValueError(f"sinusoidal positions need an even width, found {self.width}")
        return self

    @property
    def key_value_heads(self) -> int:
        """Heads of the keys and values in each attention."""
        return self.attention.key_value_heads if isinstance(self.attention, GroupedQuery) else self.heads


@dataclass(frozen=True, config=STRICT)
class TransformerConfig(TransformerShape):
    """A stack of encoder or decoder layers."""

    dropout: Share = 0.0
    """Of attention weights, of hidden layers, and of what each part adds to its input."""
    norm: NormPlace = "first"
    """``last``: behind each addition (Vaswani et al. 2017); ``first``: in front of each part (Xiong et al. 2020),
    which trains without a warm-up and normalises once more at the end."""


@dataclass(frozen=True, config=STRICT)
class EncoderDecoderConfig:
    """Everything that :class:`lightning_modules.layers.encoder_decoder.EncoderDecoderTransformer` needs."""

    encoder: TransformerConfig
    decoder: TransformerConfig
    source_vocabulary: Size
    target_vocabulary: Size
    pad_token: Annotated[int, Field(ge=0)]
    start_token: Annotated[int, Field(ge=0)]
    """What every target begins with."""
    end_token: Annotated[int, Field(ge=0)]
    share_embeddings: bool = False
    """One table for source and target, whose vocabularies are then the same (Press and Wolf 2017)."""
    tie_output: bool = True
    """The target's table is also the matrix that scores the next token (Press and Wolf 2017)."""

    @model_validator(mode="after")
    def _halves_fit(self) -> Self:
        if self.encoder.width != self.decoder.width:
            raise ValueError(f"encoder.width {self.encoder.width} and decoder.width {self.decoder.width} must be equal")
        if self.share_embeddings and self.source_vocabulary != self.target_vocabulary:
            raise ValueError(
                f"share_embeddings: source_vocabulary {self.source_vocabulary} and target_vocabulary "
                f"{self.target_vocabulary} must be equal"
            )
        return self


@dataclass(frozen=True, config=STRICT)
class FeedForwardConfig:
    """Everything that the networks of :mod:`lightning_modules.layers.feed_forward_network` need."""

    in_features: Size
    hidden: tuple[Size, ...]
    """Width of each hidden layer."""
    out_features: Size
    activation: Activation = "relu"
    norm: LayerNormalization = "none"
    """Of the hidden layers."""
    dropout: Share = 0.0
    """Behind each hidden layer."""
    residual: bool = False
    """Add a hidden layer's input to its output wherever both have the same width."""
