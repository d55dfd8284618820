"""Parameters of ``writer``."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from heddle.core.parameters.section import Section
from lightning_modules.image.config import ImageTower
from lightning_modules.training.settings import (
    AugmentationSettings,
    LoadingSettings,
    OptimizerSettings,
    Settings,
    TrainerSettings,
)
from lightning_modules.writer.config import WriterShape
from lightning_modules.writer.settings import LessonSettings, LossWeights


class Adaptation(Settings):
    """Phase 2, on the listings that the writer is for; it comes after phase 1, on all listings."""

    sources: tuple[str, ...] = Field(min_length=1, description="names of the sources whose listings these are")
    epochs: int = Field(ge=1, description="last epochs of the training")
    learning_rate: float = Field(gt=0, description="peak rate")


class WriterParameters(OptimizerSettings, LoadingSettings, Section):
    """The network, its image tower from scratch or trained, what it learns from and how."""

    pretrained: str | None = Field(
        default=None,
        description="tower to start from: clip or vision (this pipeline's own, if writer's deps in dvc.yaml name its "
        "folder), a local folder or a hub id, id@revision pins it",
    )
    image: Annotated[ImageTower | None, Field(description="image tower of a network that starts from scratch")] = None
    network: WriterShape = Field(description="everything but the image tower")
    lessons: LessonSettings = Field(description="what is drawn of a listing each time")
    losses: LossWeights = Field(description="weights in the sum")
    adaptation: Adaptation | None = Field(default=None, description="phase 2; without it phase 1 is all")
    augmentation: AugmentationSettings = Field(description="of training images; boxes move along")
    trainer: TrainerSettings = Field(description="what Lightning's Trainer is told")

    @model_validator(mode="after")
    def _one_beginning(self) -> Self:
        if self.pretrained is not None and self.image is not None:
            raise ValueError("the checkpoint of `pretrained` brings its own image; leave one out")
        if self.pretrained is None and self.image is None:
            raise ValueError("give either pretrained or image")
        return self

    @model_validator(mode="after")
    def _truthful(self) -> Self:
        if self.augmentation.mirror or self.augmentation.word_drop:
            raise ValueError("augmentation: mirror and word_drop would make listings say what their images do not")
        return self

    @model_validator(mode="after")
    def _fits_the_text_tower(self) -> Self:
        if self.lessons.text > self.network.text.context:
            raise ValueError(f"lessons.text must be at most network.text.context, {self.network.text.context}")
        return self

    @model_validator(mode="after")
    def _leaves_a_first_phase(self) -> Self:
        if self.adaptation is not None and self.adaptation.epochs >= self.trainer.max_epochs:
            raise ValueError("adaptation.epochs must be below trainer.max_epochs: phase 1 has to run")
        return self
