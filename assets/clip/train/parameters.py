"""Section `clip`: the dual encoder of images and texts."""

from typing import Literal, Self

from pydantic import Field, model_validator

from heddle.core.parameters.initialization import check_single_init
from heddle.core.parameters.section import Section
from lightning_modules.clip.config import TextTower
from lightning_modules.image.config import ImageTower
from lightning_modules.training.settings import (
    AugmentationSettings,
    LoadingSettings,
    OptimizerSettings,
    TrainerSettings,
)

FieldShares = dict[Literal["alt_text", "caption", "title", "description"], float]


class ClipParameters(OptimizerSettings, LoadingSettings, Section):
    """The network, from scratch or from a checkpoint, and its training."""

    pretrained: str | None = Field(
        default=None,
        description="transformers CLIPModel to start from: a local folder or a hub id; id@revision pins it",
    )
    image: ImageTower | None = Field(default=None, description="image tower of a network trained from scratch")
    text: TextTower | None = Field(default=None, description="text tower of a network trained from scratch")
    projection_dim: int | None = Field(
        default=None, ge=1, description="dimensions of the shared space of a network trained from scratch"
    )
    field_shares: FieldShares = Field(
        default={"alt_text": 3, "caption": 3, "title": 1, "description": 1},
        description="relative frequency of each field as the text of an image; fields not named: 1",
    )
    augmentation: AugmentationSettings = Field(
        default=AugmentationSettings(word_dropout=0.15), description="augmentation of training images and texts"
    )
    trainer: TrainerSettings = Field(default=TrainerSettings(), description="arguments of Lightning's Trainer")

    @model_validator(mode="after")
    def _single_init(self) -> Self:
        scratch = {"image": self.image, "text": self.text, "projection_dim": self.projection_dim}
        check_single_init(self.pretrained, scratch)
        return self

    @model_validator(mode="after")
    def _positive_shares(self) -> Self:
        if min(self.field_shares.values(), default=1) <= 0:
            raise ValueError("each of field_shares must be above 0")
        return self
