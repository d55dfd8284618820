"""Parameters of ``base_language``."""

from typing import Self

from pydantic import Field, model_validator

from heddle.core.parameters.section import Section
from lightning_modules.assistant.config import LlamaSize
from lightning_modules.training.settings import OptimizerSettings, TrainerSettings


class Scratch(OptimizerSettings):
    """A language model that learns to read from the catalogue alone."""

    network: LlamaSize = Field(description="sizes of the model")
    block: int = Field(ge=8, description="tokens that texts are packed into; longer texts are cut into such pieces")
    batch_size: int = Field(ge=1, description="blocks to a batch, on each device")
    echoes: float = Field(ge=0, lt=1, description="share of what is read that is drawn tokens said twice, not words")
    echo_tokens: int = Field(ge=2, description="longest of what is said twice, tokens")
    trainer: TrainerSettings = Field(description="what Lightning's Trainer is told")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.block > self.network.context:
            raise ValueError("block must be at most network.context")
        if 2 * self.echo_tokens + 3 > self.block:
            raise ValueError("echo_tokens, said twice and framed by three tokens, must fit into block")
        return self


class BaseLanguageParameters(Section):
    """Where the causal language model comes from: exactly one of ``pretrained`` and ``scratch``."""

    pretrained: str | None = Field(
        default=None, description="model to take as it is: a local folder or a hub id, id@revision pins it"
    )
    scratch: Scratch | None = Field(default=None, description="model to train on the catalogue's own texts")

    @model_validator(mode="after")
    def _one_beginning(self) -> Self:
        if (self.pretrained is None) == (self.scratch is None):
            raise ValueError("give exactly one of pretrained and scratch")
        return self
