"""Parameters of ``assistant``."""

from typing import Self

from pydantic import Field, model_validator

from heddle.core.parameters.section import Section
from lightning_modules.assistant.config import LoraSize
from lightning_modules.training.settings import OptimizerSettings, TrainerSettings


class AssistantParameters(OptimizerSettings, Section):
    """What the adapter is, what it is shown of a conversation, and how it is trained."""

    lora: LoraSize = Field(description="size of the adapter")
    merge: bool = Field(description="save the whole model with the adapter in it, instead of the adapter alone")
    guides: int = Field(ge=1, description="guides before a question, of which one is what the answer was written from")
    guide_tokens: int = Field(ge=8, description="what is shown of a guide, tokens")
    without_guides: float = Field(ge=0, le=1, description="share of the conversations that are learned without guides")
    swapped: float = Field(
        ge=0, le=1, description="share of the others in which sentences common to guide and answer are swapped in both"
    )
    repeats: int = Field(ge=1, description="how often a conversation comes in an epoch, each time drawn anew")
    block: int = Field(ge=8, description="tokens that conversations are packed into; longer conversations are left out")
    batch_size: int = Field(ge=1, description="blocks to a batch, on each device")
    answer_tokens: int = Field(ge=1, description="longest answer, tokens")
    trainer: TrainerSettings = Field(description="what Lightning's Trainer is told")

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        if self.guides * self.guide_tokens >= self.block:
            raise ValueError("guides * guide_tokens must leave room for question and answer in block")
        return self
