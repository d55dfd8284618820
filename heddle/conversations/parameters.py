"""Section `assistant`: the adapter that answers from guides."""

from typing import Self

from pydantic import Field, model_validator

from heddle.core.parameters.section import Section
from lightning_modules.assistant.config import LoraSize
from lightning_modules.training.settings import OptimizerSettings, TrainerSettings


class AssistantParameters(OptimizerSettings, Section):
    """The adapter, the prompt around a conversation, and the training."""

    lora: LoraSize = Field(default=LoraSize(), description="size of the adapter")
    merge: bool = Field(default=False, description="save the whole model with the adapter merged into the weights")
    num_context_documents: int = Field(
        default=3, ge=1, description="guides in the prompt; in training one of them is the source of the answer"
    )
    context_document_tokens: int = Field(default=400, ge=8, description="tokens of a guide in the prompt")
    context_dropout: float = Field(
        default=0.0, ge=0, le=1, description="share of the training conversations without guides in the prompt"
    )
    counterfactual_ratio: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="share of the others in which sentences common to guide and answer are replaced in both",
    )
    repeats: int = Field(default=1, ge=1, description="draws of each conversation per epoch")
    block_size: int = Field(
        default=2048, ge=8, description="tokens of a packed sequence; longer conversations are skipped"
    )
    batch_size: int = Field(default=4, ge=1, description="blocks per batch and device")
    max_new_tokens: int = Field(default=512, ge=1, description="tokens of the longest answer")
    trainer: TrainerSettings = Field(default=TrainerSettings(), description="arguments of Lightning's Trainer")

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        if self.num_context_documents * self.context_document_tokens >= self.block_size:
            raise ValueError(
                "num_context_documents * context_document_tokens must leave room for question and answer in block_size"
            )
        return self
