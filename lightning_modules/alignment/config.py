"""The shape of a :class:`lightning_modules.alignment.alignment.Alignment`: its ``config.json`` and its parameters.

No torch here: the parameter sections import these classes, and reading parameters must stay quick.
"""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from lightning_modules.layers.config_types import STRICT, Share, Size

Space = Literal["image", "text", "graph"]
"""Where a listing has a vector: by its image, by its words, by what the graph joins it with."""


@dataclass(frozen=True, config=STRICT)
class AlignmentConfig:
    """Everything that :class:`lightning_modules.alignment.alignment.Alignment` needs to be built."""

    spaces: Annotated[dict[Space, Size], Field(min_length=2)]
    """Dimensions of each space's vectors."""
    hidden: Size | None
    """Width between the two layers of a projection; None: a projection is linear."""
    width: Size
    """Dimensions of the shared space."""
    dropout: Share
    """Of the vectors that are projected."""
