"""Training settings: the blocks `trainer`, `schedule` and `augmentation` and the optimizer keys of a model's section.

This module imports no torch: the parameter sections import it, and reading parameters must be fast.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """Base of the settings: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TrainerSettings(Settings):
    """Arguments of Lightning's ``Trainer`` under Lightning's names, and the patience of early stopping."""

    max_epochs: int = Field(default=10, ge=1, description="passes over the train split")
    accelerator: Literal["auto", "cpu", "gpu", "tpu"] = Field(
        default="cpu", description="hardware; auto: a GPU if there is one"
    )
    devices: int | Literal["auto"] = Field(default=1, description="processes per node, one per device")
    num_nodes: int = Field(default=1, ge=1, description="machines")
    strategy: str = Field(default="auto", description="Lightning strategy: auto, ddp, fsdp, …")
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field(
        default="32-true", description="floating-point precision"
    )
    accumulate_grad_batches: int = Field(default=1, ge=1, description="batches per optimizer step")
    gradient_clip_val: float = Field(default=1.0, gt=0, description="largest norm of the whole gradient")
    patience: int = Field(default=10, ge=1, description="epochs without a better validation loss before early stopping")


class CosineSchedule(Settings):
    """A linear warm-up, then half a cosine down to ``min_lr_ratio`` of the peak rate at the last step."""

    kind: Literal["cosine"] = "cosine"
    warmup_epochs: float = Field(default=1.0, ge=0, description="epochs of linear warm-up, fractions allowed")
    min_lr_ratio: float = Field(default=0.01, ge=0, le=1, description="last learning rate as a share of the peak rate")


class PlateauSchedule(Settings):
    """A linear warm-up, then the peak rate, multiplied by ``factor`` whenever the validation loss stops falling."""

    kind: Literal["plateau"] = "plateau"
    warmup_epochs: float = Field(default=1.0, ge=0, description="epochs of linear warm-up, fractions allowed")
    factor: float = Field(default=0.5, gt=0, lt=1, description="factor of each reduction")
    patience: int = Field(default=5, ge=0, description="epochs without a better validation loss before a reduction")
    min_lr_ratio: float = Field(
        default=0.01, ge=0, le=1, description="smallest learning rate as a share of the peak rate"
    )


class OptimizerSettings(Settings):
    """AdamW and its learning-rate schedule."""

    learning_rate: float = Field(default=1e-3, gt=0, description="peak learning rate")
    schedule: CosineSchedule | PlateauSchedule = Field(
        default=CosineSchedule(), discriminator="kind", description="learning-rate schedule"
    )
    weight_decay: float = Field(
        default=0.05, ge=0, description="decay of matrices and kernels; norms, biases and scalars do not decay"
    )
    beta1: float = Field(default=0.9, ge=0, lt=1, description="AdamW: decay of the mean of gradients")
    beta2: float = Field(default=0.98, ge=0, lt=1, description="AdamW: decay of the mean of squared gradients")


class LoadingSettings(Settings):
    """How samples are loaded."""

    batch_size: int = Field(default=64, ge=2, description="samples per batch and device")
    num_workers: int = Field(default=0, ge=0, description="loader processes per device; 0: the training process loads")
    cache: bool = Field(default=True, description="keep decoded images in memory; false: stream the shards each epoch")
    shuffle_buffer: int = Field(default=1000, ge=1, description="samples in the shuffle buffer while streaming")


class AugmentationSettings(Settings):
    """Light changes of training samples; colours stay close, since texts name them."""

    translate: float = Field(
        default=0.06, ge=0, lt=0.5, description="largest shift in each direction as a share of the side"
    )
    jitter: float = Field(default=0.1, ge=0, lt=1, description="largest relative change of brightness and of contrast")
    horizontal_flip: bool = Field(
        default=True, description="flip half of the images, except where the text mentions left or right"
    )
    word_dropout: float = Field(default=0.0, ge=0, lt=1, description="probability that a word of a text is removed")


class GroupSettings(Settings):
    """The group of guides that is sampled for a question."""

    relevant: int = Field(default=6, ge=1, description="relevant guides per group, always with the best one")
    hard_negatives: int = Field(
        default=20, ge=0, description="top-ranked guides per group without a relevance judgement"
    )
    random_negatives: int = Field(default=4, ge=1, description="guides per group sampled from all others")
    batch_size: int = Field(default=8, ge=1, description="questions per batch and device")
