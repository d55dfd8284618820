"""The choices that a config may name. No torch here: reading parameters must stay quick."""

from typing import Literal

Activation = Literal["relu", "gelu", "quick_gelu", "silu", "tanh", "sigmoid"]
Initialization = Literal["kaiming_uniform", "kaiming_normal", "xavier_uniform", "xavier_normal"]
LayerNormalization = Literal["none", "layer", "batch"]
