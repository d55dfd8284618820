"""Parameters of ``recommender``."""

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from heddle.core.parameters.section import Section
from lightning_modules.recommender.config import Convolution, Gat
from lightning_modules.training.settings import OptimizerSettings, TrainerSettings

Width = Annotated[int, Field(ge=1)]
FanOut = Annotated[int, Field(ge=1)] | Literal[-1]


class RecommenderParameters(OptimizerSettings, Section):
    """The network and how it is trained."""

    convolution: Convolution = Field(description="GraphSAGE with one of three aggregators, or graph attention")
    widths: Annotated[tuple[Width, ...], Field(min_length=1)] = Field(description="of the layers")
    dropout: float = Field(ge=0, lt=1, description="between the layers")
    feature_dropout: float = Field(ge=0, lt=1, description="of the nodes' features")
    learned: int = Field(
        ge=0, description="features of each node that are learned, beside those of its text: for nodes without text"
    )
    shallow: int = Field(ge=0, description="width of one convolution beside the layers, from features to embeddings")
    penalty: float = Field(ge=0, description="L2, on what weight_decay is on, in the loss")
    batches: int = Field(ge=2, description="to an epoch; the edges of one are judged and pass no messages meanwhile")
    fan_out: Annotated[tuple[FanOut, ...], Field(min_length=1)] | None = Field(
        description="most neighbours of a node that a batch has, layer by layer from the embeddings back; -1: all. "
        "null: a batch has the whole graph"
    )
    trainer: TrainerSettings = Field(description="what Lightning's Trainer is told")

    @model_validator(mode="after")
    def _heads_share_the_widths(self) -> Self:
        if isinstance(self.convolution, Gat):
            for width in (*self.widths, self.shallow):
                if width % self.convolution.heads:
                    raise ValueError(f"a width of {width} is no multiple of {self.convolution.heads} heads")
        return self

    @field_validator("fan_out")
    @classmethod
    def _each_layer_has_one(cls, fan_out: tuple[int, ...] | None, told: ValidationInfo) -> tuple[int, ...] | None:
        widths = told.data.get("widths")
        if fan_out and widths and len(fan_out) != len(widths):
            raise ValueError(f"{list(fan_out)} has other layers than widths {list(widths)}")
        return fan_out
