"""Section `alignment`: projections of several embedding spaces into one."""

from typing import Self

from pydantic import Field, model_validator

from heddle.core.parameters.section import Section
from lightning_modules.alignment.config import Space
from lightning_modules.training.settings import OptimizerSettings, TrainerSettings


class AlignmentParameters(OptimizerSettings, Section):
    """The spaces to align, their projections and the training."""

    spaces: tuple[Space, ...] = Field(
        default=("image", "text", "graph"), description="spaces to align, two or all; []: skip the alignment"
    )
    hidden_dim: int | None = Field(
        default=512, ge=1, description="hidden features of each two-layer projection; null: linear projections"
    )
    projection_dim: int = Field(default=256, ge=1, description="dimensions of the shared space")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="dropout of the input vectors")
    batch_size: int = Field(default=1024, ge=2, description="listings per batch")
    trainer: TrainerSettings = Field(default=TrainerSettings(), description="arguments of Lightning's Trainer")

    @model_validator(mode="after")
    def _none_or_several(self) -> Self:
        if len(set(self.spaces)) != len(self.spaces):
            raise ValueError("spaces contains a space twice; remove one of them")
        if len(self.spaces) == 1:
            raise ValueError(
                f"{self.spaces[0]} alone cannot be aligned; name two spaces, or none to skip the alignment"
            )
        return self
