"""A writer that says what it was told, and images for it."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image

from heddle.content.lexicon import Lexicon
from heddle.content.rubric import Titles
from heddle.description.describer import Describer
from heddle.description.quality import ContentScorer
from lightning_modules.layers.generation import Pick, greedy
from lightning_modules.writer.content_fields import FIELDS, fit_field
from lightning_modules.writer.content_writer import GeneratedContent, WriterScores
from lightning_modules.writer.samples import Inputs

SIZE = 16
WRONG = {"alt_text": 0.1, "description": 0.6, "body": 0.7}
NO_MODELS = ContentScorer(Lexicon({"item": {}, "material": {}, "colour": {}}, {}, {}), Titles({}), None, None, None)


class EchoWriter:
    """Stands for :class:`lightning_modules.writer.content_writer.ContentWriter`.

    It tells the image's colour, a drawn number, the objects and the context in every field, cut and tidied as the
    grammar would have it; no other escaping.

    Args:
        patience: batches after which it is interrupted.
    """

    def __init__(self, patience: int | None = None) -> None:
        self.network = SimpleNamespace(config=SimpleNamespace(image_size=SIZE, resize_mode="pad"))
        self.patience = patience
        self.batches: list[int] = []

    def write(self, inputs: Sequence[Inputs], pick: Pick = greedy) -> list[GeneratedContent]:
        if len(self.batches) == self.patience:
            raise KeyboardInterrupt
        self.batches.append(len(inputs))
        logits = torch.stack([torch.from_numpy(one.image[:, 0, 0] % 5).float() for one in inputs])
        return [self._written(one, number) for one, number in zip(inputs, pick(logits).tolist(), strict=True)]

    def score(self, inputs: Sequence[Inputs], fields: Sequence[Mapping[str, Any]]) -> list[WriterScores]:
        return [WriterScores({"alt_text": -0.25}, WRONG, 0.5) for _ in inputs]

    def _written(self, one: Inputs, number: int) -> GeneratedContent:
        things = " ".join(f"{thing.label} {' '.join(thing.attributes)}" for thing in one.objects)
        words = f"Colour {one.image[8, 8].tolist()} {number} {things} {one.context or ''}"
        values: dict[str, Any] = {"line": words, "list": [words, things], "blocks": [("p", words), ("li", words)]}
        fields = {field.name: fit_field(field, values[field.kind]) for field in FIELDS}
        return GeneratedContent({"alt_text": -0.25}, WRONG, 0.5, fields)


def describer(patience: int | None = None, seed: int | None = None, scorer: ContentScorer = NO_MODELS) -> Describer:
    return Describer(EchoWriter(patience), scorer, seed=seed)  # type: ignore[arg-type]


def image(number: int, kind: str = "PNG", **how: Any) -> bytes:
    """An image file, another one for each number."""
    pixels = np.random.default_rng(number).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **how)
    return buffer.getvalue()


def write_images(folder: Path, count: int) -> Path:
    """A folder of images, every fifth in a folder in it; one is broken, one is hidden, one file is none."""
    (folder / "more").mkdir(parents=True)
    for number in range(count):
        (folder / ("more" if number % 5 == 4 else ".") / f"{number:02}.png").write_bytes(image(number))
    (folder / "broken.jpg").write_bytes(image(0, "JPEG")[:300])
    (folder / ".hidden.png").write_bytes(image(1))
    (folder / "notes.txt").write_text("no image")
    return folder
