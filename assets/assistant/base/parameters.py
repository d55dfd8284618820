"""Section `base_language`: the causal language model under the assistant."""

from typing import Self

from pydantic import Field, model_validator

from heddle.core.parameters.initialization import check_single_init
from heddle.core.parameters.section import Section
from lightning_modules.assistant.config import LlamaSize
from lightning_modules.training.settings import OptimizerSettings, TrainerSettings


class Scratch(OptimizerSettings):
    """A language model trained from scratch on the catalogue's texts."""

    network: LlamaSize = Field(default=LlamaSize(), description="sizes of the model")
    block_size: int = Field(
        default=256, ge=8, description="tokens of a packed sequence; longer texts are cut into pieces"
    )
    batch_size: int = Field(default=4, ge=1, description="blocks per batch and device")
    copy_task_ratio: float = Field(
        default=0.0, ge=0, lt=1, description="share of the training tokens that are random sequences to be copied"
    )
    copy_task_length: int = Field(default=10, ge=2, description="tokens of the longest sequence to be copied")
    trainer: TrainerSettings = Field(default=TrainerSettings(), description="arguments of Lightning's Trainer")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.block_size > self.network.context_length:
            raise ValueError("block_size must be at most network.context_length")
        if 2 * self.copy_task_length + 3 > self.block_size:
            raise ValueError("copy_task_length, twice and with three control tokens, must fit into block_size")
        return self


class BaseLanguageParameters(Section):
    """Exactly one of ``pretrained`` and ``scratch``."""

    pretrained: str | None = Field(
        default=None, description="model to use as it is: a local folder or a hub id; id@revision pins it"
    )
    scratch: Scratch | None = Field(default=None, description="model to train on the catalogue's own texts")

    @model_validator(mode="after")
    def _single_init(self) -> Self:
        check_single_init(self.pretrained, {"scratch": self.scratch})
        return self
