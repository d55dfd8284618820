"""Small transformer configurations of every kind of position and attention."""

import itertools
from typing import Any

from pydantic import TypeAdapter

from lightning_modules.layers.config import TransformerConfig

ATTENTIONS = [{"kind": "multi_head"}, {"kind": "grouped_query", "num_key_value_heads": 2}]
KINDS = [
    {"positions": positions, "attention": attention}
    for positions, attention in itertools.product(["learned", "sinusoidal", "rotary", "alibi"], ATTENTIONS)
]


def transformer(**changes: Any) -> TransformerConfig:
    shape = {
        "context_length": 16,
        "hidden_size": 16,
        "num_layers": 2,
        "num_heads": 4,
        "intermediate_size": 24,
        "activation": "gelu",
    }
    return TypeAdapter(TransformerConfig).validate_python(shape | changes)
