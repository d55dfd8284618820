"""What several evaluations write for ``dvc plots`` and for the report."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from heddle.core.csv_file import write_csv
from heddle.images.resize import encode_jpeg
from lightning_modules.training.shards import ShardSample

QUALITY = 85


def write_confusion(path: Path, actual: Sequence[str], predicted: Sequence[str]) -> None:
    """``actual,predicted``: one row for each labelled listing, as DVC's confusion template reads it."""
    write_csv(path, ("actual", "predicted"), sorted(zip(actual, predicted, strict=True)))


def sample_jpeg(sample: ShardSample) -> bytes:
    """The image as it stands beside an example."""
    return encode_jpeg(Image.fromarray(sample.image), QUALITY)
