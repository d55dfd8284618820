"""The sizes of a causal language model, and of an adapter on one.

No torch here: the parameter sections import these classes, and reading parameters must stay quick.
"""

from typing import Self

from pydantic import Field, model_validator

from lightning_modules.training.settings import Settings


class LlamaSize(Settings):
    """A Llama (Touvron et al. 2023): RMS norms, rotary positions, SwiGLU, no biases."""

    width: int = Field(ge=2, description="of the hidden states")
    layers: int = Field(ge=1, description="blocks of attention and feed-forward network")
    heads: int = Field(ge=1, description="of attention")
    key_value_heads: int = Field(ge=1, description="that the heads share; as many as heads for none shared")
    feed_forward: int = Field(ge=1, description="hidden features of the feed-forward network")
    theta: float = Field(gt=1, description="base of the rotary positions' wave lengths")
    context: int = Field(ge=8, description="longest text, tokens")

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if self.width % self.heads or self.heads % self.key_value_heads or self.width // self.heads % 2:
            raise ValueError("key_value_heads must divide heads, heads must divide width, into an even number")
        return self


class LoraSize(Settings):
    """A low-rank adapter (Hu et al. 2021): W + alpha / rank * B A beside each of the named matrices W."""

    rank: int = Field(ge=1, description="rows of A, columns of B")
    alpha: int = Field(ge=1, description="the adapter counts alpha / rank times")
    dropout: float = Field(ge=0, lt=1, description="of what the adapter sees")
    targets: tuple[str, ...] = Field(min_length=1, description="linear layers that get one, by the ends of their names")
