"""Section `product`: the multimodal product classifier."""

from typing import Self

from pydantic import Field, model_validator

from heddle.core.parameters.initialization import check_single_init
from heddle.core.parameters.section import Section
from lightning_modules.image.config import MobileNetV2Tower
from lightning_modules.product.config import Fusion, ImageBranch, Modalities, WordsBranch
from lightning_modules.training.settings import (
    AugmentationSettings,
    LoadingSettings,
    OptimizerSettings,
    TrainerSettings,
)


class ProductParameters(OptimizerSettings, LoadingSettings, Section):
    """The modalities of a listing, their fusion, and the training in two phases."""

    pretrained: str | None = Field(
        default=None,
        description="image tower to start from: a local folder or a hub id; id@revision pins it. Or clip, this "
        "pipeline's own, if product's deps in dvc.yaml contain data/clip",
    )
    modalities: Modalities = Field(
        default={"text": WordsBranch(), "image": ImageBranch(image=MobileNetV2Tower())},
        description="inputs of the network: name -> branch",
    )
    fusion: Fusion = Field(default=Fusion(), description="dense layers over all modalities")
    baselines: tuple[str, ...] = Field(
        default=("text", "image"), description="modalities that also get a single-modality network, for comparison"
    )
    modality_dropout: float = Field(
        default=1.0, ge=0, le=1, description="probability that a training listing loses one modality"
    )
    label_smoothing: float = Field(default=0.1, ge=0, lt=1, description="probability mass spread over all classes")
    frozen_epochs: int = Field(default=5, ge=0, description="phase 1: epochs with a frozen image tower")
    fine_tuning_rate: float = Field(default=1e-4, gt=0, description="phase 2: peak learning rate of the whole network")
    augmentation: AugmentationSettings = Field(
        default=AugmentationSettings(word_dropout=0.15), description="augmentation of training images and texts"
    )
    trainer: TrainerSettings = Field(default=TrainerSettings(), description="arguments of Lightning's Trainer")

    @model_validator(mode="after")
    def _single_init(self) -> Self:
        images = {name: branch for name, branch in self.modalities.items() if isinstance(branch, ImageBranch)}
        if len(images) > 1:
            raise ValueError(f"modalities: {' and '.join(images)} read the same image; remove one of them")
        for name, branch in images.items():
            check_single_init(self.pretrained, {f"modalities.{name}.image": branch.image})
        return self

    @model_validator(mode="after")
    def _known_baselines(self) -> Self:
        if unknown := set(self.baselines) - set(self.modalities):
            allowed = ", ".join(self.modalities)
            raise ValueError(f"baselines: unknown modality {', '.join(sorted(unknown))}; allowed: {allowed}")
        return self

    @model_validator(mode="after")
    def _has_a_second_phase(self) -> Self:
        if self.frozen_epochs >= self.trainer.max_epochs:
            raise ValueError("frozen_epochs must be below trainer.max_epochs: phase 2 has to run")
        return self
