"""Classify an image with every trained classifier.

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
"""Class -> probability, most probable first; the probabilities sum to 1."""


class ClassifyError(UserError):
    """The image cannot be classified; the message gives the reason and the remedy."""


@dataclass(frozen=True)
class Classification:
    """Predictions of all models for one image.

    Attributes:
        labels: model -> kind of label ("item") -> probabilities.
        missing: modalities without input in the prediction of `product`.
        skipped: model -> reason why it was not trained.
    """

    labels: Mapping[str, Mapping[str, Probabilities]]
    missing: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)


def classify(image: Path, text: str | None = None, data: Path = DATA) -> Classification:
    """Predict the labels of an image and, together with a text, its product class.

    Args:
        image: an image file of any format that Pillow reads.
        text: text about the image; without text `product` predicts from the image only.
        data: folder that contains ``vision`` and ``product``.

    Raises:
        ClassifyError: the file is missing or is not an image, or a stage has not run.
    """
    _read(image, 1, "pad")  # before torch is imported, so that errors appear at once
    reasons = {model: _skip_reason(data / model) for model in MODELS}
    skipped = {model: reason for model, reason in reasons.items() if reason}
    labels: dict[str, Mapping[str, Probabilities]] = {}
    missing: tuple[str, ...] = ()
    if "vision" not in skipped:
        labels["vision"] = _classify_image(data / "vision", image)
    if "product" not in skipped:
        probabilities, missing = _classify_product(data / "product", image, (text or "").strip() or None)
        labels["product"] = {PRODUCT_LABEL: probabilities}
    return Classification(labels, missing, skipped)


def predict_labels(image: Path, data: Path = DATA) -> Mapping[str, Probabilities]:
    """Predict the labels of an image with `vision` alone: kind of label -> probabilities.

    Raises:
        ClassifyError: the file is missing or is not an image, the stage has not run, or its training was skipped.
    """
    _read(image, 1, "pad")
    reason = _skip_reason(data / "vision")
    if reason:
        raise ClassifyError(f"there is no model vision: {reason}")
    return _classify_image(data / "vision", image)


def _skip_reason(folder: Path) -> str | None:
    """Reason why the stage's training was skipped; None if there is a model.

    Raises:
        ClassifyError: the stage has not run.
    """
    reason = skip_reason(folder)
    if reason:
        return reason
    missing = [name for name in MODEL_FILES if not (folder / name).is_file()]
    if missing:
        raise ClassifyError(f"{folder} lacks {', '.join(missing)}: run `heddle run` or `dvc repro {folder.name}` first")
    return None


def _classify_image(folder: Path, image: Path) -> dict[str, Probabilities]:
    from lightning_modules.vision.classifier import VisionClassifier  # imports torch, which is slow

    model = VisionClassifier.from_pretrained(folder, threads=os.cpu_count() or 1)
    pixels = _read(image, model.config.image_size, model.config.resize_mode)
    found = model.probabilities([pixels])
    heads = sorted(model.config.heads, key=LISTINGS.names.index)
    return {head: _sort(model.config.heads[head], found[head][0]) for head in heads}


def _classify_product(folder: Path, image: Path, text: str | None) -> tuple[Probabilities, tuple[str, ...]]:
    """Probabilities, and the modalities without input."""
    from lightning_modules.product.classifier import ProductClassifier

    model = ProductClassifier.from_pretrained(folder, threads=os.cpu_count() or 1)
    config = model.config
    row: dict[str, Any] = dict.fromkeys(LISTINGS.names)
    missing = []
    for name, branch in config.modalities.items():
        if isinstance(branch, WordsBranch):
            row[branch.fields[0]] = text  # the branch concatenates its fields, so one field can contain the whole text
        if isinstance(branch, NumbersBranch) or (isinstance(branch, WordsBranch) and text is None):
            missing.append(name)
    found = model.probabilities([(_read(image, config.image_size, config.resize_mode), row)])
    return _sort(config.classes, found[0]), tuple(sorted(missing))


def _read(image: Path, size: int, how: Fit) -> np.ndarray:
    try:
        return read_image(image, size, how)
    except ImageDecodeError as error:
        raise ClassifyError(str(error)) from error


def _sort(classes: tuple[str, ...], probabilities: np.ndarray) -> Probabilities:
    order = np.argsort(-probabilities, kind="stable")
    return {classes[index]: float(probabilities[index]) for index in order}
