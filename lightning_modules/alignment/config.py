"""The shape of a :class:`lightning_modules.alignment.alignment.Alignment`: its ``config.json`` and its parameters.

This module imports no torch: the parameter sections import it, and reading parameters must be fast.
"""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from lightning_modules.layers.config_types import STRICT, Share, Size

Space = Literal["image", "text", "graph"]
"""Embedding spaces of a listing: its image, its text, its node in the graph."""


@dataclass(frozen=True, config=STRICT)
class AlignmentConfig:
    """Everything that :class:`lightning_modules.alignment.alignment.Alignment` needs to be built."""

    spaces: Annotated[dict[Space, Size], Field(min_length=2)]
    """Dimensions of each space's vectors."""
    hidden_dim: Size | None
    """Hidden features of a two-layer projection; None: a projection is linear."""
    projection_dim: Size
    """Dimensions of the shared space."""
    dropout: Share
    """Dropout of the input vectors."""
