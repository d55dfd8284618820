"""Listings as a writer reads them: the image, what stands in it, what is wished for, what the file tells."""

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

from lightning_modules.training.data import Row, ShardSample, stack_pixels
from lightning_modules.writer.scene_graph import Scene

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 as shares of the square image's side, in [0, 1]."""
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
"""The box of an object whose place is not known."""

EXIF_FACTS = {
    "ExposureTime": (-5.0, 2.0),
    "FNumber": (1.4, 0.7),
    "ISOSpeedRatings": (5.3, 1.0),
    "FocalLength": (3.4, 0.8),
}
"""Tag -> mean and deviation of its logarithm as photographs commonly have it: 1/150 s, f/4, ISO 200, 30 mm."""
FACTS = ("ratio", "brightness", "contrast", "saturation", *EXIF_FACTS)
"""Numbers that tell of an image, each about 0 on average and within [-4, 4]; NaN where it is not known."""


@dataclass(frozen=True)
class SceneObject:
    """Something that stands in an image."""

    label: str
    attributes: tuple[str, ...]
    box: Box


@dataclass(frozen=True)
class Inputs:
    """What is known of one listing; everything but the image may be absent."""

    image: NDArray[np.uint8]
    """Red, green and blue, (S, S, 3)."""
    objects: Sequence[SceneObject] = ()
    relations: Sequence[tuple[int, str, int]] = ()
    """Subject, predicate, object; both ends are places among the objects."""
    context: str | None = None
    """Words: "site shop.example. locale en-GB. wishes: short sentences, friendly"."""
    facts: Sequence[float] | None = None
    """As ``FACTS`` names them."""


@dataclass  # not frozen: Lightning moves its tensors to the device
class WriterInputs:
    """The inputs of a batch; what a row has not is masked."""

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
    """The objects and relations that a network reads, and how many of each were left out."""

    objects: list[SceneObject]
    relations: list[tuple[int, str, int]]
    objects_dropped: int
    relations_dropped: int


def inputs_of(sample: ShardSample, ratio: float, fit: Literal["crop", "pad"]) -> Inputs:
    """Everything that a listing's row tells of its image.

    Args:
        ratio: width / height of the original, whose shares the row's boxes are.
        fit: how the image was made square.
    """
    row = sample.row
    facts = facts_of(sample.image, ratio, dict(row.get("exif") or ()))
    return Inputs(sample.image, objects_of(row, ratio, fit), relations_of(row), context_of(row), facts)


def objects_of(row: Row, ratio: float, fit: Literal["crop", "pad"]) -> list[SceneObject]:
    """The objects of a listing; ``ratio`` and ``fit`` as in :func:`inputs_of`."""
    return [
        SceneObject(
            thing["label"] or "", tuple(filter(None, thing["attributes"] or ())), squared(thing["box"], ratio, fit)
        )
        for thing in row.get("objects") or ()
    ]


def relations_of(row: Row) -> list[tuple[int, str, int]]:
    """The relations between the objects of a listing."""
    return [(one["subject"], one["predicate"] or "", one["object"]) for one in row.get("relations") or ()]


def squared(box: Sequence[float] | None, ratio: float, fit: Literal["crop", "pad"]) -> Box:
    """A box in shares of an image of that width / height -> in shares of the square that was made of it.

    A box that is none (missing, not finite) is the whole image; corners in the wrong order are swapped.
    """
    if box is None or len(box) != 4 or not all(value is not None and math.isfinite(value) for value in box):
        return WHOLE
    wide, high = (1.0, 1 / ratio) if (ratio > 1) == (fit == "pad") else (ratio, 1.0)  # sides of the whole in squares
    across = sorted(min(max(0.5 + (value - 0.5) * wide, 0.0), 1.0) for value in (box[0], box[2]))
    down = sorted(min(max(0.5 + (value - 0.5) * high, 0.0), 1.0) for value in (box[1], box[3]))
    return across[0], down[0], across[1], down[1]


def context_of(row: Row) -> str | None:
    """The words of a listing's context; None where it has none."""
    context = row.get("context") or {}
    told = [f"{name} {context[name]}" for name in ("site", "locale") if context.get(name)]
    if wishes := list(filter(None, context.get("preferences") or ())):
        told.append(f"wishes: {', '.join(wishes)}")
    return ". ".join(told) or None


def clauses(context: str) -> list[str]:
    """The parts of a context between its points, commas and colons: "locale en-GB", "wishes", "short sentences"."""
    return [
        clause for clause in (part.strip(" .,:;!?\n") for part in re.split(r"[.,:;!?\n](?:\s+|$)", context)) if clause
    ]


def facts_of(image: NDArray[np.uint8], ratio: float, exif: Mapping[str, Any]) -> tuple[float, ...]:
    """The numbers ``FACTS`` of an image, standardised by fixed constants.

    Args:
        image: red, green and blue, (S, S, 3).
        ratio: width / height of the original.
        exif: tag -> value; what is no positive number (2.8, "1/125") counts as unknown.
    """
    values = image.astype(np.float32) / 255
    colours = np.ascontiguousarray(values.transpose(2, 0, 1))  # three to a pixel are compared far more slowly
    brightness, contrast = (values.mean() - 0.6) / 0.2, (colours.mean(axis=0).std() - 0.25) / 0.1
    saturation = ((colours.max(axis=0) - colours.min(axis=0)).mean() - 0.2) / 0.15
    lens = [
        (math.log(number) - mean) / deviation if (number := _positive(exif.get(tag))) else math.nan
        for tag, (mean, deviation) in EXIF_FACTS.items()
    ]
    facts = [2 * math.log(ratio), float(brightness), float(contrast), float(saturation), *lens]
    return tuple(fact if math.isnan(fact) else max(-4.0, min(4.0, fact)) for fact in facts)


def truncate_scene(
    objects: Sequence[SceneObject], relations: Sequence[tuple[int, str, int]], most: int
) -> TruncatedScene:
    """What a network reads of objects and relations, which may come from anywhere.

    The ``most`` largest objects that have a label stay, in their order. Relations stay among these, unless they have no
    predicate, join an object with itself or point at none.
    """
    named = [place for place, thing in enumerate(objects) if thing.label.strip()]
    largest = sorted(named, key=lambda place: -_area(objects[place].box))[:most]  # of equal ones the first
    kept = {place: number for number, place in enumerate(sorted(largest))}
    among = [
        (kept[subject], predicate, kept[target])
        for subject, predicate, target in relations
        if subject in kept and target in kept and subject != target and predicate.strip()
    ]
    left_out = len(objects) - len(kept), len(relations) - len(among)
    return TruncatedScene([objects[place] for place in kept], among, *left_out)


class WriterReader:
    """Inputs of listings to a network's.

    Args:
        tokenizer: of the words; neither frames, cuts nor pads.
        pad: the token that means nothing.
        max_objects: most objects of an image; 0 reads none.
        clauses: most of them that are read of a context.
    """

    def __init__(self, tokenizer: Tokenizer, pad: int, max_objects: int, clauses: int) -> None:
        self.tokenizer, self.pad, self.max_objects, self.clauses = tokenizer, pad, max_objects, clauses

    def __call__(self, inputs: Sequence[Inputs]) -> WriterInputs:
        unknown = (math.nan,) * len(FACTS)
        contexts = [clauses(one.context or "")[: self.clauses] for one in inputs]
        return WriterInputs(
            stack_pixels([one.image for one in inputs]),
            self._scene([truncate_scene(one.objects, one.relations, self.max_objects) for one in inputs]),
            self._padded([[self.tokens([clause]) for clause in context] for context in contexts]),
            torch.tensor([unknown if one.facts is None else tuple(one.facts) for one in inputs], dtype=torch.float32),
        )

    def tokens(self, words: Iterable[str]) -> list[int]:
        """The tokens of words, each as it stands in a sentence: behind a space."""
        encoded = self.tokenizer.encode_batch([f" {word}" for word in words], add_special_tokens=False)
        return [token for one in encoded for token in one.ids]

    def _scene(self, sights: Sequence[TruncatedScene]) -> Scene:
        counts = [len(sight.objects) for sight in sights], [len(sight.relations) for sight in sights]
        boxes = [[thing.box for thing in sight.objects] for sight in sights]
        ends = [[(subject, target) for subject, _, target in sight.relations] for sight in sights]
        return Scene(
            self._padded([[self.tokens([thing.label]) for thing in sight.objects] for sight in sights]),
            self._padded([[self.tokens(thing.attributes) for thing in sight.objects] for sight in sights]),
            _filled(boxes, 4, torch.float32),
            _present(counts[0]),
            self._padded([[self.tokens([predicate]) for _, predicate, _ in sight.relations] for sight in sights]),
            _filled(ends, 2, torch.int64),
            _present(counts[1]),
        )

    def _padded(self, texts: Sequence[Sequence[Sequence[int]]]) -> Tensor:
        """Texts of each row -> (B, most texts, most tokens)."""
        most = max(map(len, texts), default=0)
        longest = max((len(text) for row in texts for text in row), default=0)
        nothing = [self.pad] * longest
        filled = [
            [*([*text, *nothing[len(text) :]] for text in row), *([nothing] * (most - len(row)))] for row in texts
        ]
        return torch.tensor(filled, dtype=torch.int64).view(len(texts), most, longest)


def _filled(rows: Sequence[Sequence[Sequence[float]]], width: int, dtype: torch.dtype) -> Tensor:
    most = max(map(len, rows), default=0)
    filled = [[*row, *([[0] * width] * (most - len(row)))] for row in rows]
    return torch.tensor(filled, dtype=dtype).view(len(rows), most, width)


def _present(counts: Sequence[int]) -> Tensor:
    return torch.arange(max(counts, default=0)) < torch.tensor(counts)[:, None]


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _positive(value: Any) -> float | None:
    """A positive, finite number written in any of the ways of EXIF, or None."""
    try:
        numerator, _, denominator = str(value).partition("/")
        number = float(numerator) / float(denominator or 1)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if 0 < number < math.inf else None
