"""Name what an image shows, with every classifier that was trained.

Reads ``data/vision`` and ``data/product`` and nothing else; needs no server.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from heddle.core.errors import UserError
from heddle.core.schemas import LISTINGS
from heddle.core.skipped import skip_reason
from heddle.core.stage import DATA
from heddle.images.image_file import read_image
from heddle.images.resize import Fit, ImageDecodeError
from lightning_modules.product.config import NumbersBranch, WordsBranch

MODELS = ("vision", "product")
MODEL_FILES = ("config.json", "model.safetensors")
PRODUCT_LABEL = "product_class"

Probabilities = Mapping[str, float]
"""Class -> its probability, likeliest first; they sum to 1."""


class ClassifyError(UserError):
    """The image cannot be classified; the message says why and what to do."""


@dataclass(frozen=True)
class Classification:
    """What the models say of one image.

    Attributes:
        labels: model -> label that it names ("item") -> probabilities.
        missing: modalities that `product` had to do without.
        absent: model -> why there is none.
    """

    labels: Mapping[str, Mapping[str, Probabilities]]
    missing: tuple[str, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)


def classify(image: Path, text: str | None = None, data: Path = DATA) -> Classification:
    """What the image shows, and together with the words, what kind of product it is.

    Args:
        image: an image file of any format that Pillow reads.
        text: what is said about it; without any, `product` takes its words for missing.
        data: folder that holds ``vision`` and ``product``.

    Raises:
        ClassifyError: the file is missing or no image, or a stage has not run.
    """
    _read(image, 1, "pad")  # before torch is loaded, so that a mistake is told at once
    absent = {model: reason for model in MODELS if (reason := _why_absent(data / model))}
    labels: dict[str, Mapping[str, Probabilities]] = {}
    missing: tuple[str, ...] = ()
    if "vision" not in absent:
        labels["vision"] = _by_vision(data / "vision", image)
    if "product" not in absent:
        found, missing = _by_product(data / "product", image, (text or "").strip() or None)
        labels["product"] = {PRODUCT_LABEL: found}
    return Classification(labels, missing, absent)


def seen_in(image: Path, data: Path = DATA) -> Mapping[str, Probabilities]:
    """What `vision` alone sees in the image: label that it names -> probabilities.

    Raises:
        ClassifyError: the file is missing or no image, the stage has not run, or there is no model.
    """
    _read(image, 1, "pad")
    if reason := _why_absent(data / "vision"):
        raise ClassifyError(f"there is no model vision: {reason}")
    return _by_vision(data / "vision", image)


def _why_absent(folder: Path) -> str | None:
    """Why the stage made no model.

    Raises:
        ClassifyError: it has not run.
    """
    if reason := skip_reason(folder):
        return reason
    lacking = [name for name in MODEL_FILES if not (folder / name).is_file()]
    if lacking:
        raise ClassifyError(f"{folder} lacks {', '.join(lacking)}: run `heddle run` or `dvc repro {folder.name}` first")
    return None


def _by_vision(folder: Path, image: Path) -> dict[str, Probabilities]:
    from lightning_modules.vision.classifier import VisionClassifier  # torch takes seconds to import; errors do not

    model = VisionClassifier.from_pretrained(folder, threads=os.cpu_count() or 1)
    pixels = _read(image, model.config.image_size, model.config.resize_mode)
    found = model.probabilities([pixels])
    heads = sorted(model.config.heads, key=LISTINGS.names.index)
    return {head: _ordered(model.config.heads[head], found[head][0]) for head in heads}


def _by_product(folder: Path, image: Path, text: str | None) -> tuple[Probabilities, tuple[str, ...]]:
    from lightning_modules.product.classifier import ProductClassifier

    model = ProductClassifier.from_pretrained(folder, threads=os.cpu_count() or 1)
    config = model.config
    row: dict[str, Any] = dict.fromkeys(LISTINGS.names)
    words = {name: branch.fields for name, branch in config.modalities.items() if isinstance(branch, WordsBranch)}
    row |= {fields[0]: text for fields in words.values()}  # a branch reads its fields one after the other
    missing = [name for name, branch in config.modalities.items() if isinstance(branch, NumbersBranch)]
    if text is None:
        missing += words
    found = model.probabilities([(_read(image, config.image_size, config.resize_mode), row)])
    return _ordered(config.classes, found[0]), tuple(sorted(missing))


def _read(image: Path, size: int, how: Fit) -> np.ndarray:
    try:
        return read_image(image, size, how)
    except ImageDecodeError as error:
        raise ClassifyError(str(error)) from error


def _ordered(classes: tuple[str, ...], probabilities: np.ndarray) -> Probabilities:
    order = np.argsort(-probabilities, kind="stable")
    return {classes[place]: float(probabilities[place]) for place in order}
