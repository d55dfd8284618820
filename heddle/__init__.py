"""Heddle as a library: ``heddle.load("vision")`` returns a trained model."""

from os import PathLike
from typing import Any

__all__ = ["load"]


def load(model: str, data: str | PathLike[str] = "data") -> Any:
    """Load a trained model; see :func:`heddle.inference.loading.load_model` for the models and their methods.

    Args:
        model: name of the model, such as ``"writer"``.
        data: folder of the stages' outputs.

    Raises:
        heddle.core.errors.UserError: the name is unknown, or there is no trained model.
    """
    from pathlib import Path  # imports are here, so that `import heddle` stays fast and loads no torch

    from heddle.inference.loading import load_model

    return load_model(model, Path(data))
