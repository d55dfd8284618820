"""The sizes of a causal language model and of an adapter.

This module imports no torch: the parameter sections import it, and reading parameters must be fast.
"""

from typing import Self

from pydantic import Field, model_validator

from lightning_modules.training.settings import Settings


class LlamaSize(Settings):
    """A Llama (Touvron et al. 2023): RMS norms, rotary positions, SwiGLU, no biases."""

    hidden_size: int = Field(default=128, ge=2, description="width of the hidden states")
    num_layers: int = Field(default=2, ge=1, description="blocks of attention and feed-forward network")
    num_heads: int = Field(default=8, ge=1, description="attention heads")
    num_key_value_heads: int = Field(default=8, ge=1, description="heads of keys and values; num_heads: none is shared")
    intermediate_size: int = Field(default=256, ge=1, description="hidden features of the feed-forward network")
    rope_theta: float = Field(default=500, gt=1, description="base of the wavelengths of the rotary positions")
    context_length: int = Field(default=512, ge=8, description="tokens of the longest text")

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if (
            self.hidden_size % self.num_heads
            or self.num_heads % self.num_key_value_heads
            or self.hidden_size // self.num_heads % 2
        ):
            raise ValueError(
                "num_key_value_heads must divide num_heads, num_heads must divide hidden_size, into an even number"
            )
        return self


class LoraSize(Settings):
    """A low-rank adapter (Hu et al. 2021): W + alpha / rank * B A for each of the target matrices W."""

    rank: int = Field(default=64, ge=1, description="rows of A and columns of B")
    alpha: int = Field(default=128, ge=1, description="the adapter is scaled by alpha / rank")
    dropout: float = Field(default=0.05, ge=0, lt=1, description="dropout of the adapter's input")
    target_modules: tuple[str, ...] = Field(
        default=("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
        min_length=1,
        description="linear layers with an adapter, by the ends of their names",
    )
