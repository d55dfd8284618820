"""Section `recommender`: link prediction on the graph of nodes."""

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from heddle.core.parameters.section import Section
from lightning_modules.recommender.config import Convolution, Gat, Sage
from lightning_modules.training.settings import OptimizerSettings, TrainerSettings

Width = Annotated[int, Field(ge=1)]
FanOut = Annotated[int, Field(ge=1)] | Literal[-1]


class RecommenderParameters(OptimizerSettings, Section):
    """The graph network and its training."""

    convolution: Convolution = Field(default=Sage(), description="GraphSAGE or graph attention, in every layer")
    hidden_dims: Annotated[tuple[Width, ...], Field(min_length=1)] = Field(
        default=(256, 256, 128), description="output features of each layer; the last layer gives the embeddings"
    )
    dropout: float = Field(default=0.3, ge=0, lt=1, description="dropout between the layers")
    feature_dropout: float = Field(default=0.3, ge=0, lt=1, description="dropout of the nodes' features")
    node_embedding_dim: int = Field(
        default=0, ge=0, description="trained features of each node beside those of its text, for nodes without text"
    )
    skip_connection_dim: int = Field(
        default=0, ge=0, description="output features of one convolution from the features straight to the embeddings"
    )
    l2_penalty: float = Field(
        default=0.0, ge=0, description="weight of the squared weights in the loss, on the weights that decay"
    )
    batches_per_epoch: int = Field(
        default=2, ge=2, description="batches per epoch; a batch's own edges pass no messages in its step"
    )
    fan_out: Annotated[tuple[FanOut, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="sampled neighbours of a node, layer by layer from the embeddings back; -1: all. "
        "null: each batch contains the whole graph",
    )
    trainer: TrainerSettings = Field(default=TrainerSettings(), description="arguments of Lightning's Trainer")

    @model_validator(mode="after")
    def _heads_divide_the_widths(self) -> Self:
        if isinstance(self.convolution, Gat):
            for width in (*self.hidden_dims, self.skip_connection_dim):
                if width % self.convolution.heads:
                    raise ValueError(f"a width of {width} is no multiple of {self.convolution.heads} heads")
        return self

    @field_validator("fan_out")
    @classmethod
    def _one_for_each_layer(cls, fan_out: tuple[int, ...] | None, info: ValidationInfo) -> tuple[int, ...] | None:
        hidden_dims = info.data.get("hidden_dims")
        if fan_out and hidden_dims and len(fan_out) != len(hidden_dims):
            raise ValueError(
                f"{list(fan_out)} has {len(fan_out)} layers, hidden_dims {list(hidden_dims)} another number"
            )
        return fan_out
