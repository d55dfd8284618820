"""What several evaluations write for ``dvc plots`` and for the report."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

from assets.pictures import encode_jpeg
from lightning_modules.data import Sample

QUALITY = 85


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table as DVC's plots read it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_text(buffer.getvalue())


def write_confusion(path: Path, actual: Sequence[str], predicted: Sequence[str]) -> None:
    """``actual,predicted``: one row for each labelled listing, as DVC's confusion template reads it."""
    write_csv(path, ("actual", "predicted"), sorted(zip(actual, predicted, strict=True)))


def sample_jpeg(sample: Sample) -> bytes:
    """The picture as it stands beside an example."""
    return encode_jpeg(Image.fromarray(sample.picture), QUALITY)
