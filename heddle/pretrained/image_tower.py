"""Initialization of a model's image tower: random weights, a checkpoint, or another stage of the pipeline."""

from pathlib import Path
from typing import Literal, NamedTuple

from torch import Tensor

from heddle.core.dependencies import DATA
from heddle.core.skipped import skip_reason
from heddle.core.stage import Stage, StageError, read_json
from heddle.training.checkpoint import check_image_size, checkpoint_errors
from lightning_modules.image.checkpoint import load_image_tower
from lightning_modules.image.config import (
    Channels,
    ClipVitTower,
    ImageTower,
    VitTower,
    usual_normalisation,
)


class SkippedInitializationError(StageError):
    """The stage whose image tower is needed trained no model."""


class ImageInitialization(NamedTuple):
    """An image tower, the format of its images and, for a trained tower, its weights."""

    tower: ImageTower
    size: int
    """Side of the images in ``data/shards``, in pixels."""
    fit: Literal["crop", "pad"]
    mean: Channels
    std: Channels
    weights: dict[str, Tensor] | None
    """State of an :class:`lightning_modules.image.image_tower.ImageEncoder`; None for random weights."""


def read_initialization(
    stage: Stage, key: str, image: ImageTower | None, pretrained: str | None
) -> ImageInitialization:
    """Read the initialization that the parameters name; exactly one of ``image`` and ``pretrained`` is set.

    Args:
        stage: reads ``data/shards`` and the folder of the named stage.
        key: parameter of ``pretrained`` for error messages, such as ``vision.pretrained``.
        image: shape of a tower with random weights.
        pretrained: a stage that trains an image tower, a local folder or a hub id; ``id@revision`` pins a hub id.

    Raises:
        SkippedInitializationError: the named stage trained no model.
        StageError: the checkpoint cannot be loaded, or takes images of another size.
    """
    images = read_json(stage.input("shards") / "images.json")
    size, fit = images["size"], images["resize_mode"]
    if pretrained is None:
        assert image is not None  # the parameters require one of the two
        return ImageInitialization(image, size, fit, *usual_normalisation(image), None)
    with checkpoint_errors(key, pretrained):
        found = load_image_tower(str(_folder(stage, key, pretrained)))
    if isinstance(found.tower, ClipVitTower | VitTower):
        check_image_size(key, pretrained, found.image_size, size)
    return ImageInitialization(found.tower, size, fit, found.mean, found.std, found.weights)


def _folder(stage: Stage, key: str, pretrained: str) -> Path | str:
    """The input of that name where ``pretrained`` names a stage of the pipeline, else ``pretrained`` itself."""
    is_name = Path(pretrained).name == pretrained
    if not is_name or not (DATA / pretrained).is_dir():
        return pretrained
    reason = skip_reason(stage.input(pretrained))
    if reason:
        raise SkippedInitializationError(f"{key}: stage {pretrained} was skipped: {reason}")
    return stage.input(pretrained)
