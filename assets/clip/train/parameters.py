"""Parameters of ``clip``."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

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
    """The network, from scratch or from a checkpoint, and how it is trained."""

    pretrained: str | None = Field(
        default=None,
        description="a transformers CLIPModel to start from: local folder or hub id, id@revision pins it",
    )
    image: Annotated[ImageTower | None, Field(description="image tower of a network that starts from scratch")] = None
    text: TextTower | None = Field(default=None, description="text tower of a network that starts from scratch")
    embedding: int | None = Field(default=None, ge=1, description="dimensions of the shared space, from scratch")
    field_shares: FieldShares = Field(
        default_factory=dict,
        description="how often training draws a field as the image's words in comparison with others; unnamed: 1",
    )
    augmentation: AugmentationSettings = Field(description="of training images")
    trainer: TrainerSettings = Field(description="what Lightning's Trainer is told")

    @model_validator(mode="after")
    def _one_beginning(self) -> Self:
        given = [name for name in ("image", "text", "embedding") if getattr(self, name) is not None]
        if self.pretrained is not None and given:
            raise ValueError(f"the checkpoint of `pretrained` brings its own {' and '.join(given)}; leave one out")
        if self.pretrained is None and len(given) < 3:
            raise ValueError("give either pretrained, or all of image, text and embedding")
        if min(self.field_shares.values(), default=1) <= 0:
            raise ValueError("each of field_shares must be above 0")
        return self
