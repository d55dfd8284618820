"""The shape of a :class:`lightning_modules.recommender.graph.GraphRecommender`: its ``config.json`` and its parameters.

This module imports no torch: the parameter sections import it, and reading parameters must be fast.
"""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from lightning_modules.layers.config_types import STRICT, Share, Size


@dataclass(frozen=True, config=STRICT)
class Sage:
    """GraphSAGE (Hamilton, Ying and Leskovec 2017)."""

    kind: Literal["sage"] = "sage"
    aggregator: Literal["mean", "max", "lstm"] = "mean"
    """Mean of the neighbours, maxima of a layer over them, or last state of an LSTM over them."""
    neighbours: Size | None = None
    """Largest number of neighbours of a node, sampled in each training step; None: all."""


@dataclass(frozen=True, config=STRICT)
class Gat:
    """Graph attention (Veličković et al. 2018)."""

    kind: Literal["gat"] = "gat"
    heads: Size = 4
    """Attention heads of a layer; each gets an equal share of the width."""
    negative_slope: Annotated[float, Field(ge=0)] = 0.2
    """Slope of the attention's leaky ReLU below 0."""


Convolution = Annotated[Sage | Gat, Field(discriminator="kind")]


@dataclass(frozen=True, config=STRICT)
class GraphConfig:
    """Everything that :class:`lightning_modules.recommender.graph.GraphRecommender` needs to be built."""

    convolution: Convolution
    """Kind of every layer."""
    hidden_dims: Annotated[tuple[Size, ...], Field(min_length=1)]
    """Output features of each layer; the last layer gives the embeddings."""
    features: Size
    """Input features of a node."""
    dropout: Share
    """Dropout after each layer but the last."""
    feature_dropout: Share
    """Dropout of the features."""
    nodes: Annotated[int, Field(ge=0)] = 0
    """Nodes with trained features; later nodes have zeros there."""
    node_embedding_dim: Annotated[int, Field(ge=0)] = 0
    """Trained features of each of these nodes, beside the input features."""
    skip_connection_dim: Annotated[int, Field(ge=0)] = 0
    """Output features of one convolution from the features straight to the embeddings; 0: none."""
