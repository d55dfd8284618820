"""How a network is trained, as typed settings: the blocks ``trainer`` and ``optimizer`` of a model's section.

No torch here: the parameter sections import these classes, and reading parameters must stay quick.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """Base of the settings: unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TrainerSettings(Settings):
    """What Lightning's ``Trainer`` is told; the names are Lightning's own."""

    max_epochs: int = Field(ge=1, description="passes over the train split")
    accelerator: Literal["auto", "cpu", "gpu", "tpu"] = Field(description="hardware; auto takes a GPU if there is one")
    devices: int | Literal["auto"] = Field(description="processes on each node, one for each device")
    num_nodes: int = Field(ge=1, description="machines")
    strategy: str = Field(description="Lightning strategy: auto, ddp, fsdp, …")
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field(description="of the arithmetic")
    accumulate_grad_batches: int = Field(ge=1, description="batches to one optimiser step")
    gradient_clip_val: float = Field(gt=0, description="largest norm of the whole gradient")
    patience: int = Field(ge=1, description="epochs without a better validation loss before training stops early")


class CosineSchedule(Settings):
    """A linear warm-up, then half a cosine down to ``final_share`` of the peak rate at the last step."""

    kind: Literal["cosine"]
    warmup_epochs: float = Field(ge=0, description="epochs, or a part of one, in which the rate rises to its peak")
    final_share: float = Field(ge=0, le=1, description="learning rate at the end as a share of the peak rate")


class PlateauSchedule(Settings):
    """A linear warm-up, then the peak rate, cut by ``factor`` whenever the validation loss has stopped falling."""

    kind: Literal["plateau"]
    warmup_epochs: float = Field(ge=0, description="epochs, or a part of one, in which the rate rises to its peak")
    factor: float = Field(gt=0, lt=1, description="what the rate is multiplied by")
    patience: int = Field(ge=0, description="epochs without a better validation loss that are borne before")
    final_share: float = Field(ge=0, le=1, description="smallest learning rate as a share of the peak rate")


class OptimizerSettings(Settings):
    """AdamW and how its rate moves."""

    learning_rate: float = Field(gt=0, description="peak rate")
    schedule: CosineSchedule | PlateauSchedule = Field(discriminator="kind", description="how the rate moves")
    weight_decay: float = Field(ge=0, description="on matrices and kernels only: not on norms, biases, scalars")
    beta1: float = Field(ge=0, lt=1, description="decay of AdamW's mean of gradients")
    beta2: float = Field(ge=0, lt=1, description="decay of AdamW's mean of squared gradients")


class LoadingSettings(Settings):
    """How samples reach the network."""

    batch_size: int = Field(ge=2, description="samples to a batch, on each device")
    workers: int = Field(ge=0, description="loader processes for each device; 0 loads in the training process")
    cache: bool = Field(description="keep the decoded images in memory instead of streaming the shards each epoch")
    shuffle_buffer: int = Field(ge=1, description="samples held for shuffling while streaming")


class AugmentationSettings(Settings):
    """Light changes to training samples; colours stay close, since words speak of them."""

    shift: float = Field(ge=0, lt=0.5, description="largest move in each direction, as a share of the side")
    jitter: float = Field(ge=0, lt=1, description="largest relative change of brightness and of contrast")
    mirror: bool = Field(description="swap left and right half of the time, except where the words speak of sides")
    word_drop: float = Field(default=0.0, ge=0, lt=1, description="chance of each word of a text to be left out")


class GroupSettings(Settings):
    """The group of guides that is drawn around a question."""

    relevant: int = Field(ge=1, description="relevant guides to a group, the best always among them")
    hard_negatives: int = Field(
        ge=0, description="guides to a group that rankings put first and nobody judged relevant"
    )
    random_negatives: int = Field(ge=1, description="guides to a group that are drawn from all others")
    batch_size: int = Field(ge=1, description="questions to a batch, on each device")
