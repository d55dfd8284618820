"""Trained models by name, as objects with plain methods."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heddle.core.errors import UserError
from heddle.core.skipped import skip_reason
from heddle.core.stage import DATA

if TYPE_CHECKING:
    from heddle.description.describer import Describer


class LoadError(UserError):
    """A model cannot be loaded; the message names the remedy."""


class ImageDescriber:
    """Writes title, alt text, tags, SEO texts and body for images.

    Args:
        describer: the opened models.
    """

    def __init__(self, describer: "Describer") -> None:
        self.describer = describer

    def describe(self, image: str | os.PathLike[str]) -> dict[str, Any]:
        """Write content for an image file; ``content`` and ``scores`` as `heddle describe` prints them.

        Raises:
            DescribeError: the file is missing or is not an image.
        """
        from heddle.description.user_inputs import UserInputs
        from heddle.inference.describe import describe

        return dict(describe(Path(image), UserInputs(), self.describer))


def load_model(model: str, data: Path = DATA) -> Any:
    """Load the model that a stage wrote into ``data/<model>``, onto a GPU if there is one.

    ============  =============================================================  ====================================
    model         class                                                          methods
    ============  =============================================================  ====================================
    assistant     :class:`lightning_modules.assistant.assistant.Assistant`       ``answer(messages, max_new_tokens)``
    clip          :class:`lightning_modules.clip.encoder.ClipEncoder`            ``images(images)``, ``texts(texts)``
    product       :class:`lightning_modules.product.classifier.ProductClassifier`  ``probabilities(samples)``
    recommender   :class:`heddle.inference.recommend.RecommenderIndex`           ``recommend(query, top)``
    reranker      :class:`lightning_modules.reranker.reranker.Reranker`          ``scores(query, texts)``
    vision        :class:`lightning_modules.vision.classifier.VisionClassifier`  ``probabilities(images)``
    writer        :class:`ImageDescriber`                                        ``describe(image)``
    ============  =============================================================  ====================================

    Args:
        model: name of the model.
        data: folder of the stages' outputs.

    Raises:
        LoadError: the name is unknown, the folder is missing, or the stage was skipped.
    """
    if model not in LOADERS:
        raise LoadError(f"unknown model {model!r}: use one of {', '.join(LOADERS)}")
    folder = data / model
    if not folder.is_dir():
        raise LoadError(f"{folder} is missing: run `heddle run` or `dvc repro {model}` in the project first")
    reason = skip_reason(folder)
    if reason:
        raise LoadError(f"{folder} has no model, its training was skipped: {reason}")
    try:
        return LOADERS[model](data)
    except OSError as error:
        raise LoadError(f"{folder} is incomplete ({error}): run `dvc repro {model}`") from error


def _threads() -> int:
    return os.cpu_count() or 1


def _load_assistant(data: Path) -> Any:
    from lightning_modules.assistant.assistant import Assistant

    return Assistant.from_pretrained(data / "assistant", _threads(), data / "base_language")


def _load_clip(data: Path) -> Any:
    from lightning_modules.clip.encoder import ClipEncoder

    return ClipEncoder.from_pretrained(data / "clip", _threads())


def _load_product(data: Path) -> Any:
    from lightning_modules.product.classifier import ProductClassifier

    return ProductClassifier.from_pretrained(data / "product", _threads())


def _load_recommender(data: Path) -> Any:
    from heddle.inference.recommend import RecommenderIndex

    return RecommenderIndex.open(data / "recommender")


def _load_reranker(data: Path) -> Any:
    from lightning_modules.reranker.reranker import Reranker

    return Reranker.from_pretrained(data / "reranker", _threads())


def _load_vision(data: Path) -> Any:
    from lightning_modules.vision.classifier import VisionClassifier

    return VisionClassifier.from_pretrained(data / "vision", _threads())


def _load_writer(data: Path) -> ImageDescriber:
    from heddle.inference.describe import open_describer

    return ImageDescriber(open_describer(data))


LOADERS: Mapping[str, Callable[[Path], Any]] = {
    "assistant": _load_assistant,
    "clip": _load_clip,
    "product": _load_product,
    "recommender": _load_recommender,
    "reranker": _load_reranker,
    "vision": _load_vision,
    "writer": _load_writer,
}
"""Model -> loader, which imports torch on first use; its argument is the folder of the stages' outputs."""
