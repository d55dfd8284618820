"""Baselines of the writer: the text of the nearest train image, and a template filled by the image classifier."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from assets.writer.evaluate.parameters import gaps
from heddle.content.content import Content
from heddle.core.skipped import skip_reason
from heddle.core.stage import Stage
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.training.shards import Row, ShardSample, read_samples
from lightning_modules.vision.classifier import VisionClassifier
from lightning_modules.writer.content_fields import FIELDS, fit_field

CHUNK = 256
"""Images that are compared with the train images at once."""


def nearest_neighbours(train: NDArray[np.float32], images: NDArray[np.float32]) -> list[int]:
    """Index of the most similar train image for each image; the first of equals.

    Args:
        train: unit vectors of the train images, (T, D), at least one.
        images: unit vectors, (N, D).

    Raises:
        ValueError: there is no train image.
    """
    if not len(train):
        raise ValueError("nearest neighbours need at least one train image, found 0")
    parts = [(images[start : start + CHUNK] @ train.T).argmax(axis=1) for start in range(0, len(images), CHUNK)]
    return [int(index) for part in parts for index in part]


def nearest_contents(stage: Stage, clip: ClipEncoder, images: NDArray[np.float32]) -> list[Content]:
    """For each image the content of the most similar train listing with an alt text; empty without such listings.

    Args:
        stage: the stage, whose shards are read.
        clip: dual encoder whose image vectors are compared.
        images: its vectors of the N images, (N, D).
    """
    rows: list[Row] = []

    def train_images() -> Iterator[NDArray[np.uint8]]:
        for sample in read_samples(stage.input("shards") / "train"):
            if sample.row["alt_text"]:
                rows.append(sample.row)
                yield sample.image

    vectors = clip.images(train_images())
    if not rows:
        return []
    return [within_limits(Content.from_listing(rows[index])) for index in nearest_neighbours(vectors, images)]


def template_contents(stage: Stage, samples: Sequence[ShardSample], template: str, threads: int) -> list[Content]:
    """The filled template for each image; empty without a classifier that predicts the template's labels."""
    folder = stage.input("vision")
    if skip_reason(folder):
        return []
    classifier = VisionClassifier.from_pretrained(folder, threads)
    if missing := sorted({*gaps(template)} - {*classifier.config.heads}):
        stage.progress(f"template baseline skipped: stage vision does not predict {', '.join(missing)}")
        return []
    probabilities = classifier.probabilities(sample.image for sample in samples)
    texts = fill_template(template, classifier.config.heads, probabilities)
    return [within_limits(sentence_content(text)) for text in texts]


def fill_template(
    template: str, heads: Mapping[str, Sequence[str]], probabilities: Mapping[str, NDArray[np.float32]]
) -> Iterator[str]:
    """The template filled with the most probable class of each label, image by image.

    Args:
        template: the template; its gaps are names of labels.
        heads: label to its C classes.
        probabilities: label to probabilities, (N, C).
    """
    predicted = {
        name: [heads[name][best] for best in probabilities[name].argmax(axis=1).tolist()] for name in gaps(template)
    }
    for values in zip(*predicted.values(), strict=True):
        yield template.format(**dict(zip(predicted, values, strict=True)))


def sentence_content(text: str) -> Content:
    """Content with the same text in every required field."""
    return Content.from_fields(
        {field.name: [("p", text)] if field.kind == "blocks" else text for field in FIELDS if field.required}
    )


def within_limits(content: Content) -> Content:
    """The content with each field cut at a word to its limit."""
    values = content.fields()
    return Content.from_fields(
        {field.name: fit_field(field, values[field.name]) for field in FIELDS if values[field.name]}
    )
