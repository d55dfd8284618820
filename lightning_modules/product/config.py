"""Configuration of :class:`lightning_modules.product.product.Product`: ``config.json`` and its parameters.

This module imports no torch: the parameter sections import it, and reading parameters must be fast.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from lightning_modules.image.config import Channels, ImageTower
from lightning_modules.layers.config_types import STRICT, Share, Size

LABEL = "product_class"
"""The field of a listing that names its class."""
WordsField = Literal[
    "title", "description", "alt_text", "caption", "seo_title", "seo_description", "tags", "categories"
]
"""Fields of a listing that are texts, or lists of them."""
NumbersField = Literal["price"]
"""Fields of a listing that are numbers."""


@dataclass(frozen=True, config=STRICT)
class WordsBranch:
    """Text, by a TextCNN (Kim 2014): embeddings, convolutions of several lengths, maxima, a dense layer."""

    kind: Literal["text_cnn"] = "text_cnn"
    fields: Annotated[tuple[WordsField, ...], Field(min_length=1)] = ("title", "description")
    """Fields that are joined to one text; a listing without any of them lacks the modality."""
    context_length: Size = 60
    """Tokens; longer texts are cut off."""
    embedding_dim: Size = 128
    """Width of a token's vector."""
    kernel_sizes: Annotated[tuple[Size, ...], Field(min_length=1)] = (2, 3, 4)
    """Tokens under each convolution."""
    num_filters: Size = 64
    """Channels of each convolution."""
    features: Size = 128
    """Features of the branch."""
    dropout: Share = 0.3


@dataclass(frozen=True, config=STRICT)
class ImageBranch:
    """The image, by an image tower and a dense layer."""

    kind: Literal["image"] = "image"
    features: Size = 256
    """Features of the branch."""
    dropout: Share = 0.3
    image: ImageTower | None = None
    """None only in parameters with ``pretrained``: the checkpoint brings the tower."""


@dataclass(frozen=True, config=STRICT)
class NumbersBranch:
    """Numbers as signed ``log(1 + x)``, standardised to mean 0 and deviation 1, by a dense layer."""

    kind: Literal["numbers"] = "numbers"
    fields: Annotated[tuple[NumbersField, ...], Field(min_length=1)] = ("price",)
    """Fields of the listing; a listing without one of them lacks the modality."""
    features: Size = 16
    """Features of the branch."""
    dropout: Share = 0.1


Branch = Annotated[WordsBranch | ImageBranch | NumbersBranch, Field(discriminator="kind")]
ModalityName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
Scaling = dict[NumbersField, tuple[float, Annotated[float, Field(gt=0)]]]
Modalities = Annotated[dict[ModalityName, Branch], Field(min_length=1)]


@dataclass(frozen=True, config=STRICT)
class Fusion:
    """Dense layers over the features of all modalities side by side; the logits follow."""

    hidden_dims: tuple[Size, ...] = (256, 128)
    """Width of each layer."""
    dropout: tuple[Share, ...] = (0.4, 0.3)
    """Dropout after each layer."""

    @model_validator(mode="after")
    def _one_for_each(self) -> Self:
        if len(self.hidden_dims) != len(self.dropout):
            raise ValueError(
                f"hidden_dims has {len(self.hidden_dims)} layers, dropout {len(self.dropout)}; "
                "both must be equally long"
            )
        return self


@dataclass(frozen=True, config=STRICT)
class ProductConfig:
    """Everything that :class:`lightning_modules.product.product.Product` needs to be built and fed."""

    modalities: Modalities
    """Inputs of the network: name -> branch; the order does not matter."""
    fusion: Fusion
    classes: tuple[str, ...]
    """In the order of the logits."""
    image_size: Size
    """Side of the square images in pixels."""
    resize_mode: Literal["crop", "pad"]
    """How an image was made square."""
    image_mean: Channels
    """Subtracted from the pixels before the tower."""
    image_std: Channels
    """Divisor of the pixels after that."""
    vocab_size: Size
    """Tokens that the tokenizer knows."""
    pad_token: Annotated[int, Field(ge=0)]
    scaling: Scaling
    """Mean and deviation of each number's signed logarithm over the train split."""

    @property
    def reads_words(self) -> bool:
        """Whether there is need of a tokenizer."""
        return any(isinstance(branch, WordsBranch) for branch in self.modalities.values())
