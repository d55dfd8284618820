"""What the writer must be better than: the text of the likest image, and a sentence with gaps."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from assets.writer.evaluate.parameters import gaps
from heddle.content.content import Content
from heddle.core.stage import Stage
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.training.data import Row, read_samples
from lightning_modules.writer.content_fields import FIELDS, fit_field

CHUNK = 256


def nearest(train: NDArray[np.float32], images: NDArray[np.float32]) -> list[int]:
    """For each image the place of the train image that is likest to it; the first of equals.

    Args:
        train: unit vectors, (T, D), at least one.
        images: unit vectors, (N, D).

    Raises:
        ValueError: there is no train image.
    """
    if not len(train):
        raise ValueError("there is no train image to be like")
    parts = [(images[start : start + CHUNK] @ train.T).argmax(axis=1) for start in range(0, len(images), CHUNK)]
    return [int(place) for part in parts for place in part]


def filled(
    template: str, heads: Mapping[str, Sequence[str]], probabilities: Mapping[str, NDArray[np.float32]]
) -> Iterator[str]:
    """The template with the likeliest class of each head in its gap, image by image.

    Args:
        template: its gaps are names of heads.
        heads: kind of label to its C classes.
        probabilities: kind of label to (N, C).
    """
    likeliest = {
        name: [heads[name][best] for best in probabilities[name].argmax(axis=1).tolist()] for name in gaps(template)
    }
    for values in zip(*likeliest.values(), strict=True):
        yield template.format(**dict(zip(likeliest, values, strict=True)))


def likest(stage: Stage, clip: ClipEncoder, images: NDArray[np.float32]) -> list[Row]:
    """For each image the train listing with an alt text whose image is likest; none where there are no such.

    Args:
        stage: whose shards are read.
        clip: tells how like two images are.
        images: its vectors of the N images, (N, D).
    """
    rows: list[Row] = []

    def told() -> Iterator[NDArray[np.uint8]]:
        for sample in read_samples(stage.input("shards") / "train"):
            if sample.row["alt_text"]:
                rows.append(sample.row)
                yield sample.image

    vectors = clip.images(told())
    return [rows[place] for place in nearest(vectors, images)] if rows else []


def sentence(text: str) -> Content:
    """Content that says the same in every field that must not be empty."""
    return Content.from_fields(
        {field.name: [("p", text)] if field.kind == "blocks" else text for field in FIELDS if field.required}
    )


def within_limits(content: Content) -> Content:
    """The content, each field cut at a word where it is longer than what may be published."""
    values = content.fields()
    return Content.from_fields(
        {field.name: fit_field(field, values[field.name]) for field in FIELDS if values[field.name]}
    )
