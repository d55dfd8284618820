"""Section `writer`: the content generator."""

from typing import Self

from pydantic import Field, model_validator

from heddle.core.parameters.initialization import check_single_init
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
from lightning_modules.writer.settings import LossWeights, SamplingSettings


class Adaptation(Settings):
    """Phase 2: training on the listings of some sources, after phase 1 on all listings."""

    sources: tuple[str, ...] = Field(min_length=1, description="names of the sources of phase 2")
    epochs: int = Field(default=4, ge=1, description="last epochs of the training, which are phase 2")
    learning_rate: float = Field(default=3e-5, gt=0, description="peak learning rate of phase 2")


class WriterParameters(OptimizerSettings, LoadingSettings, Section):
    """The network with an image tower from scratch or pretrained, and its training."""

    pretrained: str | None = Field(
        default=None,
        description="image tower to start from: clip or vision (this pipeline's own, if writer's deps in dvc.yaml "
        "contain its folder), a local folder or a hub id; id@revision pins it",
    )
    image: ImageTower | None = Field(default=None, description="image tower of a network trained from scratch")
    network: WriterShape = Field(default=WriterShape(), description="the network without its image tower")
    sampling: SamplingSettings = Field(
        default=SamplingSettings(), description="how a training example is drawn from a listing"
    )
    losses: LossWeights = Field(default=LossWeights(), description="weight of each loss in the sum")
    adaptation: Adaptation | None = Field(default=None, description="phase 2; null: phase 1 only")
    augmentation: AugmentationSettings = Field(
        default=AugmentationSettings(horizontal_flip=False), description="augmentation of training images and boxes"
    )
    trainer: TrainerSettings = Field(default=TrainerSettings(), description="arguments of Lightning's Trainer")

    @model_validator(mode="after")
    def _single_init(self) -> Self:
        check_single_init(self.pretrained, {"image": self.image})
        return self

    @model_validator(mode="after")
    def _augmentation_keeps_texts_true(self) -> Self:
        if self.augmentation.horizontal_flip or self.augmentation.word_dropout:
            raise ValueError(
                "augmentation: horizontal_flip must be false and word_dropout 0, because the texts would no longer "
                "match the images"
            )
        return self

    @model_validator(mode="after")
    def _fits_the_text_tower(self) -> Self:
        limit = self.network.text.context_length
        if self.sampling.max_text_tokens > limit:
            raise ValueError(f"sampling.max_text_tokens must be at most network.text.context_length, {limit}")
        return self

    @model_validator(mode="after")
    def _has_a_first_phase(self) -> Self:
        if self.adaptation is not None and self.adaptation.epochs >= self.trainer.max_epochs:
            raise ValueError("adaptation.epochs must be below trainer.max_epochs: phase 1 has to run")
        return self
