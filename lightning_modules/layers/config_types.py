"""Field types that the configs share. This module imports no torch: reading parameters must be fast."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

Size = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
STRICT = ConfigDict(extra="forbid", use_attribute_docstrings=True)
"""Configuration of a dataclass: unknown keys are refused, docstrings of fields are their descriptions."""

Activation = Literal["relu", "gelu", "quick_gelu", "silu", "tanh", "sigmoid"]
Initialization = Literal["kaiming_uniform", "kaiming_normal", "xavier_uniform", "xavier_normal"]
LayerNormalization = Literal["none", "layer", "batch"]
