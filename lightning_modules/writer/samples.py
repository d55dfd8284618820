"""Inputs of the writer: image, objects, relations, context and EXIF facts of a listing, as tensors."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from lightning_modules.training.shards import Row, ShardSample, stack_pixels
from lightning_modules.writer.scene_graph import Scene

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 as shares of the square image's side, in [0, 1]."""
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
"""The box of an object without a valid box."""

EXIF_FACTS = {
    "ExposureTime": (-5.0, 2.0),
    "FNumber": (1.4, 0.7),
    "ISOSpeedRatings": (5.3, 1.0),
    "FocalLength": (3.4, 0.8),
}
"""Tag to mean and standard deviation of its logarithm in typical photographs: 1/150 s, f/4, ISO 200, 30 mm."""
FACTS = ("ratio", "brightness", "contrast", "saturation", *EXIF_FACTS)
"""Numbers that describe an image, standardised and clipped to [-4, 4]; NaN where unknown."""


@dataclass(frozen=True)
class ImageObject:
    """An object in an image."""

    label: str
    attributes: tuple[str, ...]
    box: Box


@dataclass(frozen=True)
class Inputs:
    """The inputs of one listing. Only the image is required."""

    image: NDArray[np.uint8]
    """Red, green and blue, (S, S, 3)."""
    objects: Sequence[ImageObject] = ()
    relations: Sequence[tuple[int, str, int]] = ()
    """Subject, predicate, object; subject and object are indices of ``objects``."""
    context: str | None = None
    """Words: "site shop.example. locale en-GB. wishes: short sentences, friendly"."""
    facts: Sequence[float] | None = None
    """The numbers that ``FACTS`` names, in its order."""


@dataclass  # not frozen: Lightning moves its tensors to the device
class WriterInputs:
    """The inputs of a batch of B listings; missing inputs are masked."""

    pixels: Tensor
    """uint8, (B, 3, S, S)."""
    scene: Scene
    context: Tensor
    """Tokens of the clauses of the context, padded, int64 (B, C, T); C may be 0."""
    facts: Tensor
    """(B, F), NaN where unknown."""

    def __len__(self) -> int:
        return len(self.pixels)


class TruncatedScene(NamedTuple):
    """The objects and relations that the network reads, and the numbers of dropped ones."""

    objects: list[ImageObject]
    relations: list[tuple[int, str, int]]
    objects_dropped: int
    relations_dropped: int


def read_inputs(sample: ShardSample, ratio: float, fit: Literal["crop", "pad"]) -> Inputs:
    """The inputs of a listing.

    Args:
        sample: a listing with its image.
        ratio: width / height of the original image, to which the row's boxes refer.
        fit: the resize mode that made the image square.
    """
    row = sample.row
    facts = compute_facts(sample.image, ratio, dict(row.get("exif") or ()))
    return Inputs(sample.image, read_objects(row, ratio, fit), read_relations(row), format_context(row), facts)


def read_objects(row: Row, ratio: float, fit: Literal["crop", "pad"]) -> list[ImageObject]:
    """The objects of a listing; ``ratio`` and ``fit`` as in :func:`read_inputs`."""
    return [
        ImageObject(
            thing["label"] or "", tuple(filter(None, thing["attributes"] or ())), to_square(thing["box"], ratio, fit)
        )
        for thing in row.get("objects") or ()
    ]


def read_relations(row: Row) -> list[tuple[int, str, int]]:
    """The relations between the objects of a listing."""
    return [(one["subject"], one["predicate"] or "", one["object"]) for one in row.get("relations") or ()]


def to_square(box: Sequence[float] | None, ratio: float, fit: Literal["crop", "pad"]) -> Box:
    """Convert a box from shares of the original image to shares of the square image.

    An invalid box (missing or not finite) becomes the whole image; corners in the wrong order are swapped.
    """
    if box is None or len(box) != 4 or not all(value is not None and math.isfinite(value) for value in box):
        return WHOLE
    wide, high = (
        (1.0, 1 / ratio) if (ratio > 1) == (fit == "pad") else (ratio, 1.0)
    )  # sides of the original, in sides of the square
    across = sorted(min(max(0.5 + (value - 0.5) * wide, 0.0), 1.0) for value in (box[0], box[2]))
    down = sorted(min(max(0.5 + (value - 0.5) * high, 0.0), 1.0) for value in (box[1], box[3]))
    return across[0], down[0], across[1], down[1]


def format_context(row: Row) -> str | None:
    """A listing's context as words; None where it has none."""
    context = row.get("context") or {}
    parts = [f"{name} {context[name]}" for name in ("site", "locale") if context.get(name)]
    if wishes := list(filter(None, context.get("preferences") or ())):
        parts.append(f"wishes: {', '.join(wishes)}")
    return ". ".join(parts) or None


def split_clauses(context: str) -> list[str]:
    """Split a context at its punctuation: "locale en-GB", "wishes", "short sentences"."""
    return [
        clause for clause in (part.strip(" .,:;!?\n") for part in re.split(r"[.,:;!?\n](?:\s+|$)", context)) if clause
    ]


def compute_facts(image: NDArray[np.uint8], ratio: float, exif: Mapping[str, Any]) -> tuple[float, ...]:
    """Compute the numbers ``FACTS`` of an image, standardised by fixed constants.

    Args:
        image: red, green and blue, (S, S, 3).
        ratio: width / height of the original.
        exif: tag to value. Values other than positive numbers (2.8, "1/125") count as unknown.
    """
    values = image.astype(np.float32) / 255
    colours = np.ascontiguousarray(values.transpose(2, 0, 1))  # the channel-last layout is far slower here
    brightness, contrast = (values.mean() - 0.6) / 0.2, (colours.mean(axis=0).std() - 0.25) / 0.1
    saturation = ((colours.max(axis=0) - colours.min(axis=0)).mean() - 0.2) / 0.15
    lens = [
        (math.log(number) - mean) / deviation if (number := _positive(exif.get(tag))) else math.nan
        for tag, (mean, deviation) in EXIF_FACTS.items()
    ]
    facts = [2 * math.log(ratio), float(brightness), float(contrast), float(saturation), *lens]
    return tuple(fact if math.isnan(fact) else max(-4.0, min(4.0, fact)) for fact in facts)


def truncate_scene(
    objects: Sequence[ImageObject], relations: Sequence[tuple[int, str, int]], max_objects: int
) -> TruncatedScene:
    """Keep the objects and relations that the network reads.

    The ``max_objects`` largest objects with a label are kept, in their order. Relations between them are kept if they
    have a predicate and two different ends.
    """
    named = [index for index, thing in enumerate(objects) if thing.label.strip()]
    largest = sorted(named, key=lambda index: -_area(objects[index].box))[:max_objects]  # of equal ones the first
    kept = {index: new_index for new_index, index in enumerate(sorted(largest))}
    kept_relations = [
        (kept[subject], predicate, kept[target])
        for subject, predicate, target in relations
        if subject in kept and target in kept and subject != target and predicate.strip()
    ]
    return TruncatedScene(
        [objects[index] for index in kept],
        kept_relations,
        len(objects) - len(kept),
        len(relations) - len(kept_relations),
    )


class WriterReader:
    """Converts inputs of listings to a batch of tensors.

    Args:
        tokenizer: the tokenizer, without templates, truncation and padding.
        pad: id of the padding token.
        max_objects: most objects of an image; 0 reads none.
        clauses: most clauses of a context.
    """

    def __init__(self, tokenizer: Tokenizer, pad: int, max_objects: int, clauses: int) -> None:
        self.tokenizer, self.pad, self.max_objects, self.clauses = tokenizer, pad, max_objects, clauses

    def __call__(self, inputs: Sequence[Inputs]) -> WriterInputs:
        unknown = (math.nan,) * len(FACTS)
        contexts = [split_clauses(one.context or "")[: self.clauses] for one in inputs]
        return WriterInputs(
            stack_pixels([one.image for one in inputs]),
            self._scene([truncate_scene(one.objects, one.relations, self.max_objects) for one in inputs]),
            self._pad([[self.tokens([clause]) for clause in context] for context in contexts]),
            torch.tensor([unknown if one.facts is None else tuple(one.facts) for one in inputs], dtype=torch.float32),
        )

    def tokens(self, words: Iterable[str]) -> list[int]:
        """The tokens of words, each encoded with a space before it as within a sentence."""
        encoded = self.tokenizer.encode_batch([f" {word}" for word in words], add_special_tokens=False)
        return [token for one in encoded for token in one.ids]

    def _scene(self, scenes: Sequence[TruncatedScene]) -> Scene:
        boxes = [[thing.box for thing in scene.objects] for scene in scenes]
        ends = [[(subject, target) for subject, _, target in scene.relations] for scene in scenes]
        return Scene(
            self._pad([[self.tokens([thing.label]) for thing in scene.objects] for scene in scenes]),
            self._pad([[self.tokens(thing.attributes) for thing in scene.objects] for scene in scenes]),
            _pad_numbers(boxes, 4, torch.float32),
            _presence_mask([len(scene.objects) for scene in scenes]),
            self._pad([[self.tokens([predicate]) for _, predicate, _ in scene.relations] for scene in scenes]),
            _pad_numbers(ends, 2, torch.int64),
            _presence_mask([len(scene.relations) for scene in scenes]),
        )

    def _pad(self, texts: Sequence[Sequence[Sequence[int]]]) -> Tensor:
        """Token ids of each row's texts -> (B, texts, tokens), padded to the most of each."""
        most = max(map(len, texts), default=0)
        longest = max((len(text) for row in texts for text in row), default=0)
        nothing = [self.pad] * longest
        filled = [
            [*([*text, *nothing[len(text) :]] for text in row), *([nothing] * (most - len(row)))] for row in texts
        ]
        return torch.tensor(filled, dtype=torch.int64).view(len(texts), most, longest)


def _pad_numbers(rows: Sequence[Sequence[Sequence[float]]], width: int, dtype: torch.dtype) -> Tensor:
    most = max(map(len, rows), default=0)
    filled = [[*row, *([[0] * width] * (most - len(row)))] for row in rows]
    return torch.tensor(filled, dtype=dtype).view(len(rows), most, width)


def _presence_mask(counts: Sequence[int]) -> Tensor:
    return torch.arange(max(counts, default=0)) < torch.tensor(counts)[:, None]


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _positive(value: Any) -> float | None:
    """A positive, finite number in any notation of EXIF, or None."""
    try:
        numerator, _, denominator = str(value).partition("/")
        number = float(numerator) / float(denominator or 1)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if 0 < number < math.inf else None
