"""Errors of checkpoints that the parameters name."""

from collections.abc import Iterator
from contextlib import contextmanager

from heddle.core.stage import StageError


@contextmanager
def checkpoint_errors(key: str, checkpoint: str) -> Iterator[None]:
    """Turn the errors of a checkpoint that cannot be loaded into a ``StageError``.

    Args:
        key: parameter that names the checkpoint, such as ``vision.pretrained``.
        checkpoint: local folder or hub id.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        raise StageError(f"{key}: cannot load checkpoint {checkpoint!r}: {error}") from error


def check_image_size(key: str, checkpoint: str, expected: int, size: int) -> None:
    """Compare the image side of a checkpoint with that of ``data/shards``, both in pixels.

    Raises:
        StageError: the sizes differ.
    """
    if expected != size:
        raise StageError(
            f"{key}: {checkpoint!r} takes images of {expected} pixels, data/shards has {size}; "
            f"set shards.image_size to {expected}"
        )
