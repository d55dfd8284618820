"""The shape of a :class:`lightning_modules.recommender.graph.GraphRecommender`: its ``config.json`` and its parameters.

No torch here: the parameter sections import these classes, and reading parameters must stay quick.
"""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from lightning_modules.layers.config_types import STRICT, Share, Size


@dataclass(frozen=True, config=STRICT)
class Sage:
    """GraphSAGE (Hamilton, Ying and Leskovec 2017)."""

    kind: Literal["sage"]
    aggregator: Literal["mean", "max", "lstm"]
    """Of the neighbours: their mean, the maxima of a layer over them, the last state of an LSTM over them."""
    neighbours: Size | None = None
    """Most neighbours of a node that are aggregated, drawn anew in each step of the training; None: all."""


@dataclass(frozen=True, config=STRICT)
class Gat:
    """Graph attention (Veličković et al. 2018)."""

    kind: Literal["gat"]
    heads: Size
    """Of each layer, side by side; each has its share of the width."""
    slope: Annotated[float, Field(ge=0)]
    """Of the leaky ReLU in the attention, below 0."""


Convolution = Annotated[Sage | Gat, Field(discriminator="kind")]


@dataclass(frozen=True, config=STRICT)
class GraphConfig:
    """Everything that :class:`lightning_modules.recommender.graph.GraphRecommender` needs to be built."""

    convolution: Convolution
    """Of every layer."""
    widths: Annotated[tuple[Size, ...], Field(min_length=1)]
    """Of the layers; the last is the embeddings'."""
    features: Size
    """Of a node, as given."""
    dropout: Share
    """After each layer but the last."""
    feature_dropout: Share
    """Of the features."""
    nodes: Annotated[int, Field(ge=0)] = 0
    """That have features of their own to learn; further ones have zeros there."""
    learned: Annotated[int, Field(ge=0)] = 0
    """Features of each of these nodes that are learned, beside those given."""
    shallow: Annotated[int, Field(ge=0)] = 0
    """Width of one convolution straight from features to embeddings, beside the layers; 0: none."""
