"""Parameters of ``alignment``."""

from typing import Self

from pydantic import Field, model_validator

from heddle.core.parameters.section import Section
from lightning_modules.alignment.config import Space
from lightning_modules.training.settings import OptimizerSettings, TrainerSettings


class AlignmentParameters(OptimizerSettings, Section):
    """Which spaces are aligned, by what, and how it is learned."""

    spaces: tuple[Space, ...] = Field(description="that are aligned, two or all; [] does without")
    hidden: int | None = Field(
        ge=1, description="width between the two layers of a projection; null: a projection is linear"
    )
    width: int = Field(ge=1, description="dimensions of the shared space")
    dropout: float = Field(ge=0, lt=1, description="of the vectors that are projected")
    batch_size: int = Field(ge=2, description="listings to a batch")
    trainer: TrainerSettings = Field(description="what Lightning's Trainer is told")

    @model_validator(mode="after")
    def _none_or_several(self) -> Self:
        if len(set(self.spaces)) != len(self.spaces):
            raise ValueError("a space stands twice in spaces")
        if len(self.spaces) == 1:
            raise ValueError(f"{self.spaces[0]} alone cannot be aligned; name two spaces, or none to do without")
        return self
