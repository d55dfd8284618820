"""Parameters of ``vision``."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

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
    """The network, from scratch or from a trained tower, and how it is trained."""

    pretrained: str | None = Field(
        default=None,
        description="tower to start from: clip (this pipeline's own), a local folder or a hub id, id@revision pins it",
    )
    image: Annotated[ImageTower | None, Field(description="image tower of a network that starts from scratch")] = None
    heads: dict[Label, Weight] = Field(min_length=1, description="labels to learn and their losses' weights")
    label_smoothing: float = Field(ge=0, lt=1, description="share of a label's mass spread over all classes")
    dropout: float = Field(ge=0, lt=1, description="between the tower and the heads")
    augmentation: AugmentationSettings = Field(description="of training images")
    trainer: TrainerSettings = Field(description="what Lightning's Trainer is told")

    @model_validator(mode="after")
    def _one_beginning(self) -> Self:
        if self.pretrained is not None and self.image is not None:
            raise ValueError("the checkpoint of `pretrained` brings its own image; leave one out")
        if self.pretrained is None and self.image is None:
            raise ValueError("give either pretrained or image")
        return self
