"""Configuration of :class:`lightning_modules.product.product.Product`: ``config.json`` and its parameters.

No torch here: the parameter sections import these classes, and reading parameters must stay quick.
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
    """Words as a TextCNN reads them (Kim 2014): embeddings, convolutions of several lengths, maxima, a dense layer."""

    kind: Literal["text_cnn"]
    fields: Annotated[tuple[WordsField, ...], Field(min_length=1)]
    """Read one after the other; a listing with none of them lacks the modality."""
    context: Size
    """Tokens; longer texts are cut."""
    embedding: Size
    """Width of a token's vector."""
    kernels: Annotated[tuple[Size, ...], Field(min_length=1)]
    """Tokens that the convolutions look at, one of them for each length."""
    filters: Size
    """Channels of each convolution."""
    features: Size
    dropout: Share


@dataclass(frozen=True, config=STRICT)
class ImageBranch:
    """The image, by an image tower and a dense layer."""

    kind: Literal["image"]
    features: Size
    dropout: Share
    image: ImageTower | None = None
    """None only in parameters: a checkpoint brings the tower."""


@dataclass(frozen=True, config=STRICT)
class NumbersBranch:
    """Numbers as signed ``log(1 + x)``, brought to mean 0 and deviation 1, by a dense layer."""

    kind: Literal["numbers"]
    fields: Annotated[tuple[NumbersField, ...], Field(min_length=1)]
    """A listing that lacks one of them lacks the modality."""
    features: Size
    dropout: Share


Branch = Annotated[WordsBranch | ImageBranch | NumbersBranch, Field(discriminator="kind")]
ModalityName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
Scaling = dict[NumbersField, tuple[float, Annotated[float, Field(gt=0)]]]
Modalities = Annotated[dict[ModalityName, Branch], Field(min_length=1)]


@dataclass(frozen=True, config=STRICT)
class Fusion:
    """Dense layers over the features of all modalities side by side; the logits follow."""

    hidden: tuple[Size, ...]
    """Width of each layer."""
    dropout: tuple[Share, ...]
    """After each layer."""

    @model_validator(mode="after")
    def _one_for_each(self) -> Self:
        if len(self.hidden) != len(self.dropout):
            raise ValueError("hidden and dropout must be equally long")
        return self


@dataclass(frozen=True, config=STRICT)
class ProductConfig:
    """Everything that :class:`lightning_modules.product.product.Product` needs to be built and fed."""

    modalities: Modalities
    """What is read of a listing, by name; their order means nothing."""
    fusion: Fusion
    classes: tuple[str, ...]
    """In the order of the logits."""
    image_size: Size
    """Side of the square images in pixels."""
    image_fit: Literal["crop", "pad"]
    """How an image was made square."""
    image_mean: Channels
    """Taken off before the tower."""
    image_std: Channels
    """Divided by before the tower."""
    vocabulary: Size
    """Tokens that the tokenizer knows."""
    pad_token: Annotated[int, Field(ge=0)]
    scaling: Scaling
    """Mean and deviation of each number's signed logarithm over the train split."""

    @property
    def reads_words(self) -> bool:
        """Whether there is need of a tokenizer."""
        return any(isinstance(branch, WordsBranch) for branch in self.modalities.values())
