"""Section `vision`: the image classifier."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from heddle.core.parameters.initialization import check_single_init
from heddle.core.parameters.section import Section
from lightning_modules.image.config import ImageTower
from lightning_modules.training.settings import (
    AugmentationSettings,
    LoadingSettings,
    OptimizerSettings,
    TrainerSettings,
)

Label = Literal["item", "material", "bin", "product_class"]
"""Fields of a listing that name a class."""
Weight = Annotated[float, Field(gt=0)]


class VisionParameters(OptimizerSettings, LoadingSettings, Section):
    """The network, from scratch or from a trained image tower, and its training."""

    pretrained: str | None = Field(
        default=None,
        description="image tower to start from: clip (this pipeline's own), a local folder or a hub id; "
        "id@revision pins it",
    )
    image: ImageTower | None = Field(default=None, description="image tower of a network trained from scratch")
    heads: dict[Label, Weight] = Field(
        default={"item": 1, "material": 1, "bin": 1}, min_length=1, description="labels and their loss weights"
    )
    label_smoothing: float = Field(default=0.1, ge=0, lt=1, description="probability mass spread over all classes")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="dropout between the image tower and the heads")
    augmentation: AugmentationSettings = Field(
        default=AugmentationSettings(), description="augmentation of training images"
    )
    trainer: TrainerSettings = Field(default=TrainerSettings(), description="arguments of Lightning's Trainer")

    @model_validator(mode="after")
    def _single_init(self) -> Self:
        check_single_init(self.pretrained, {"image": self.image})
        return self
