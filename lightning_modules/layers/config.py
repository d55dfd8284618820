"""The shape of the transformers: dataclasses of parameters and of ``config.json``.

This module imports no torch: the parameter sections import it, and reading parameters must be fast.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from lightning_modules.layers.config_types import STRICT, Activation, LayerNormalization, Share, Size

PositionKind = Literal["learned", "sinusoidal", "rotary", "alibi"]
NormOrder = Literal["first", "last"]


@dataclass(frozen=True, config=STRICT)
class MultiHead:
    """Every query head has keys and values of its own (Vaswani et al. 2017)."""

    kind: Literal["multi_head"] = "multi_head"


@dataclass(frozen=True, config=STRICT)
class GroupedQuery:
    """Several query heads share the keys and values of one head (Ainslie et al. 2023): a smaller cache."""

    kind: Literal["grouped_query"] = "grouped_query"
    num_key_value_heads: Size = 1
    """It must divide the heads; 1 is multi-query attention."""


Attention = Annotated[MultiHead | GroupedQuery, Field(discriminator="kind")]


@dataclass(frozen=True, config=STRICT)
class TransformerShape:
    """The sizes of every stack of transformer layers."""

    context_length: Size = 77
    """Largest number of tokens; a table of learned positions has as many rows."""
    hidden_size: Size = 512
    """Width of the states between the layers."""
    num_layers: Size = 12
    num_heads: Size = 8
    """Attention heads; they must divide ``hidden_size``."""
    intermediate_size: Size = 2048
    """Width of the hidden layer of each feed-forward block."""
    activation: Activation = "gelu"
    """Of the feed-forward blocks: ``quick_gelu`` as in CLIP, ``gelu``, …"""
    positions: PositionKind = "learned"
    """How a layer gets the position of a token."""
    attention: Attention = MultiHead()

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.hidden_size % self.num_heads:
            raise ValueError(f"num_heads {self.num_heads} must divide hidden_size {self.hidden_size}")
        if self.num_heads % self.num_key_value_heads:
            raise ValueError(
                f"attention.num_key_value_heads {self.num_key_value_heads} must divide num_heads {self.num_heads}"
            )
        if self.positions == "rotary" and self.hidden_size // self.num_heads % 2:
            raise ValueError(
                f"rotary positions need an even width of each head, found {self.hidden_size // self.num_heads}"
            )
        if self.positions == "sinusoidal" and self.hidden_size % 2:
            raise ValueError(f"sinusoidal positions need an even width, found {self.hidden_size}")
        return self

    @property
    def num_key_value_heads(self) -> int:
        """Heads of the keys and values in each attention."""
        return self.attention.num_key_value_heads if isinstance(self.attention, GroupedQuery) else self.num_heads


@dataclass(frozen=True, config=STRICT)
class TransformerConfig(TransformerShape):
    """A stack of encoder or decoder layers."""

    dropout: Share = 0.0
    """Of attention weights, of hidden layers, and of what each part adds to its input."""
    norm: NormOrder = "first"
    """``last``: behind each addition (Vaswani et al. 2017); ``first``: in front of each part (Xiong et al. 2020),
    which trains without a warm-up and normalises once more at the end."""


@dataclass(frozen=True, config=STRICT)
class EncoderDecoderConfig:
    """Everything that :class:`lightning_modules.layers.encoder_decoder.EncoderDecoderTransformer` needs."""

    encoder: TransformerConfig
    decoder: TransformerConfig
    source_vocab_size: Size
    target_vocab_size: Size
    pad_token: Annotated[int, Field(ge=0)]
    start_token: Annotated[int, Field(ge=0)]
    """First token of every target."""
    end_token: Annotated[int, Field(ge=0)]
    share_embeddings: bool = False
    """One table for source and target, whose vocabularies are then the same (Press and Wolf 2017)."""
    tie_output: bool = True
    """The target's table is also the matrix that scores the next token (Press and Wolf 2017)."""

    @model_validator(mode="after")
    def _halves_fit(self) -> Self:
        if self.encoder.hidden_size != self.decoder.hidden_size:
            raise ValueError(
                f"encoder.hidden_size {self.encoder.hidden_size} and decoder.hidden_size {self.decoder.hidden_size} "
                "must be equal"
            )
        if self.share_embeddings and self.source_vocab_size != self.target_vocab_size:
            raise ValueError(
                f"share_embeddings: source_vocab_size {self.source_vocab_size} and target_vocab_size "
                f"{self.target_vocab_size} must be equal"
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
