"""Parameters of ``product``."""

from typing import Self

from pydantic import Field, model_validator

from heddle.core.parameters.section import Section
from lightning_modules.product.config import Fusion, ImageBranch, Modalities
from lightning_modules.training.settings import (
    AugmentationSettings,
    LoadingSettings,
    OptimizerSettings,
    TrainerSettings,
)


class ProductParameters(OptimizerSettings, LoadingSettings, Section):
    """What is read of a listing, how it is joined, and how it is trained in two phases."""

    pretrained: str | None = Field(
        default=None,
        description="tower to start from: a local folder or a hub id, id@revision pins it; or clip, this pipeline's "
        "own, if product's deps in dvc.yaml name data/clip",
    )
    modalities: Modalities = Field(description="what is read of a listing: name -> branch of the network")
    fusion: Fusion = Field(description="dense layers over all modalities")
    baselines: tuple[str, ...] = Field(description="modalities that a network of their own is trained on, to compare")
    modality_dropout: float = Field(ge=0, le=1, description="chance of a training listing to lose one modality")
    label_smoothing: float = Field(ge=0, lt=1, description="share of a label's mass spread over all classes")
    frozen_epochs: int = Field(ge=0, description="phase 1: epochs in which the image tower does not learn")
    fine_tuning_rate: float = Field(gt=0, description="phase 2: peak rate of the whole network")
    augmentation: AugmentationSettings = Field(description="of training images and words")
    trainer: TrainerSettings = Field(description="what Lightning's Trainer is told")

    @model_validator(mode="after")
    def _one_beginning(self) -> Self:
        images = {name: branch for name, branch in self.modalities.items() if isinstance(branch, ImageBranch)}
        if len(images) > 1:
            raise ValueError(f"modalities: {' and '.join(images)} read the same image; leave one out")
        for name, branch in images.items():
            if self.pretrained is not None and branch.image is not None:
                raise ValueError(
                    f"the checkpoint of `pretrained` brings its own modalities.{name}.image; leave one out"
                )
            if self.pretrained is None and branch.image is None:
                raise ValueError(f"give either pretrained or modalities.{name}.image")
        return self

    @model_validator(mode="after")
    def _known_baselines(self) -> Self:
        if unknown := set(self.baselines) - set(self.modalities):
            allowed = ", ".join(self.modalities)
            raise ValueError(f"baselines: {', '.join(sorted(unknown))} is no modality; allowed: {allowed}")
        return self

    @model_validator(mode="after")
    def _leaves_a_second_phase(self) -> Self:
        if self.frozen_epochs >= self.trainer.max_epochs:
            raise ValueError("frozen_epochs must be below trainer.max_epochs: phase 2 has to run")
        return self
