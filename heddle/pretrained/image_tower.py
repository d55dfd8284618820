"""How a model's image tower begins: from scratch, or trained, from a checkpoint or from a stage of our own."""

from pathlib import Path
from typing import Literal, NamedTuple

from torch import Tensor

from heddle.core.skipped import skip_reason
from heddle.core.stage import Stage, StageError, read_json
from lightning_modules.image.checkpoint import load_image_tower
from lightning_modules.image.config import (
    Channels,
    ClipVitTower,
    ImageTower,
    VitTower,
    usual_normalisation,
)

OWN = ("clip", "vision")
"""The checkpoints that are this pipeline's own: the image towers of these stages."""


class SkippedInitializationError(StageError):
    """The model that another is to begin with is itself absent."""


class ImageInitialization(NamedTuple):
    """A tower, the images that it gets and, where it does not start from scratch, its weights."""

    tower: ImageTower
    size: int
    """Side of the images in ``data/shards``, in pixels."""
    fit: Literal["crop", "pad"]
    mean: Channels
    std: Channels
    weights: dict[str, Tensor] | None
    """Of an :class:`lightning_modules.image.image_tower.ImageEncoder`."""


def read_initialization(
    stage: Stage, key: str, image: ImageTower | None, pretrained: str | None
) -> ImageInitialization:
    """The beginning that the parameters ask for; exactly one of the two is given.

    Args:
        stage: reads ``data/shards``, and the folder of the stage that is asked for.
        key: of ``pretrained`` in the parameters, for messages: ``vision.pretrained``.
        image: a tower from scratch.
        pretrained: one of ``OWN``, a local folder or a hub id, which ``id@revision`` pins.

    Raises:
        NoStartError: it is a stage that made no model.
        StageError: the checkpoint cannot be used, or takes images of another size.
    """
    images = read_json(stage.input("shards") / "images.json")
    size, fit = images["size"], images["fit"]
    if pretrained is None:
        assert image is not None  # as the parameters made sure
        return ImageInitialization(image, size, fit, *usual_normalisation(image), None)
    try:
        found = load_image_tower(str(_folder(stage, key, pretrained)))
    except (OSError, ValueError) as error:
        raise StageError(f"{key}: {pretrained!r} is no checkpoint that can be used: {error}") from error
    if isinstance(found.tower, ClipVitTower | VitTower) and found.image_size != size:
        raise StageError(
            f"{key}: {pretrained!r} takes images of {found.image_size} pixels, data/shards has {size}; "
            f"set shards.image_size to {found.image_size}"
        )
    return ImageInitialization(found.tower, size, fit, found.mean, found.std, found.weights)


def _folder(stage: Stage, key: str, pretrained: str) -> Path | str:
    if pretrained not in OWN:
        return pretrained
    if reason := skip_reason(stage.input(pretrained)):
        raise SkippedInitializationError(f"{key} is {pretrained}, which was not trained: {reason}")
    return stage.input(pretrained)
