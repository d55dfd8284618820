"""Field types that the configs share. No torch here: reading parameters must stay quick."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

Size = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
STRICT = ConfigDict(extra="forbid")
"""Of a dataclass: unknown keys are refused."""

Activation = Literal["relu", "gelu", "quick_gelu", "silu", "tanh", "sigmoid"]
Initialization = Literal["kaiming_uniform", "kaiming_normal", "xavier_uniform", "xavier_normal"]
LayerNormalization = Literal["none", "layer", "batch"]
