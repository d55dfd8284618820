"""How good content is, in the numbers that ``heddle describe`` shows beside it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heddle.content.content import Content
from heddle.content.html import blocks_of
from heddle.content.lexicon import Lexicon, Stated
from heddle.content.readability import readability
from heddle.content.rubric import Titles, seo_score
from heddle.description.certainty import Certainty
from heddle.description.inputs import ImageFile, Shape, shape_of
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.vision.classifier import VisionClassifier
from lightning_modules.writer.content_writer import Written

CLIP_WEIGHT = 2.5
"""Of the cosine (Hessel et al. 2021, CLIPScore: A Reference-free Evaluation Metric for Image Captioning)."""
DOUBTED = 0.5
"""A field is held to be wrong from this probability on."""
WEIGHTS: Mapping[str, float] = {"relevance": 1, "accuracy": 2, "seo": 1, "readability": 1, "certainty": 2}
"""Of the scores in the overall one: what is true of the image counts twice."""
PUBLISHED = {"description": "excerpt", "body": "content"}
"""Names that fields bear in WordPress, where they bear others."""
DIGITS = 4


@dataclass(frozen=True)
class Scores:
    """Of one image's content; None where there is nothing to tell it from. More is better."""

    relevance: float | None
    """CLIPScore of alt text and image, 2.5 · max(cosine, 0) by `clip`, in [0, 2.5]."""
    accuracy: float | None
    """Mean agreement of what the alt text states (item, material, colour, relations) with the objects that were told
    and with what `vision` sees, in [0, 1]; see :func:`accuracy`."""
    seo: float
    """Rubric of lengths, use of the keyword and uniqueness, in [0, 1]; see :mod:`heddle.content.rubric`."""
    readability: float
    """Flesch's reading ease of the body as a share of "very easy", in [0, 1]."""
    certainty: float | None
    """Calibrated probability that all is right that the alt text states, in [0, 1]."""
    errors: tuple[str, ...]
    """Fields that more likely than not state something wrong, as the writer's head for it says."""

    @property
    def overall(self) -> float:
        """The mean of those that there are, weighted by WEIGHTS, in [0, 1]; relevance counts as 1 from 1 on."""
        told = {name: getattr(self, name) for name in WEIGHTS if getattr(self, name) is not None}
        return sum(WEIGHTS[name] * min(value, 1.0) for name, value in told.items()) / sum(
            WEIGHTS[name] for name in told
        )

    def as_json(self) -> dict[str, Any]:
        """Numbers rounded, `overall` last."""
        numbers = {**asdict(self), "errors": list(self.errors), "overall": self.overall}
        return {name: round(value, DIGITS) if isinstance(value, float) else value for name, value in numbers.items()}


@dataclass(frozen=True)
class Case:
    """One image's content, and what it is judged by."""

    image: ImageFile
    told: Mapping[str, Any]
    """Columns `context`, `objects` and `relations` of a listing."""
    written: Written
    content: Content


@dataclass(frozen=True)
class Judges:
    """What scores are told from; None where there is none."""

    lexicon: Lexicon
    titles: Titles
    """That other titles compete with."""
    certainty: Certainty | None
    clip: ClipEncoder | None
    vision: VisionClassifier | None

    @property
    def shapes(self) -> list[Shape]:
        """Of the images that the models take."""
        return [shape_of(model.config) for model in (self.clip, self.vision) if model is not None]

    def scores(self, cases: Sequence[Case]) -> list[Scores]:
        """The scores of each; the models see all of them together."""
        alike, seen = self._relevance(cases), self._seen(cases)
        return [self._scores(*known) for known in zip(cases, alike, seen, strict=True)]

    def _scores(self, case: Case, alike: float | None, seen: Mapping[str, Mapping[str, float]]) -> Scores:
        stated = self.lexicon.states(case.content.alt_text)
        keywords = [word for word in (stated.item, stated.material) if word]
        locale = (case.told.get("context") or {}).get("locale")
        return Scores(
            relevance=alike,
            accuracy=accuracy(stated, case.told, seen),
            seo=seo_score(case.content, self.titles, keywords).value,
            readability=readability(plain(case.content.body), locale),
            certainty=self.certainty(case.written.certainty, bool(case.told.get("objects")))
            if self.certainty
            else None,
            errors=doubted(case.written.wrong),
        )

    def _relevance(self, cases: Sequence[Case]) -> list[float | None]:
        if self.clip is None:
            return [None] * len(cases)
        images = self.clip.images([case.image.squares[shape_of(self.clip.config)] for case in cases])
        return list(relevance(images, self.clip.texts([case.content.alt_text for case in cases])))

    def _seen(self, cases: Sequence[Case]) -> list[dict[str, dict[str, float]]]:
        """For each image: kind of label -> class -> probability."""
        if self.vision is None:
            return [{} for _ in cases]
        found = self.vision.probabilities([case.image.squares[shape_of(self.vision.config)] for case in cases])
        heads = self.vision.config.heads
        return [
            {head: dict(zip(heads[head], map(float, found[head][place]), strict=True)) for head in heads}
            for place in range(len(cases))
        ]


def relevance(images: NDArray[np.float32], texts: NDArray[np.float32]) -> list[float]:
    """CLIPScore of each pair of unit vectors, (N, D) and (N, D)."""
    return [float(score) for score in CLIP_WEIGHT * np.maximum((images * texts).sum(axis=1), 0)]


def accuracy(stated: Stated, told: Mapping[str, Any], seen: Mapping[str, Mapping[str, float]]) -> float | None:
    """The mean agreement of what a text states with what is known; None where it states nothing that can be compared.

    An item agrees if an object bears its name; material and colour if the objects of that name (or all, if none bears
    it) have it as an attribute; a relation if it was told. A statement that agrees counts 1. One that does not counts
    as much as `vision` finds it likely, if it has such a class, else 0; what neither the objects nor `vision` could
    tell is left out.

    Args:
        told: columns `objects` and `relations` of a listing.
        seen: kind of label -> class -> probability, as `vision` sees it.
    """
    objects = told.get("objects") or []
    named = [thing for thing in objects if thing["label"] == stated.item] or objects
    attributes = {attribute for thing in named for attribute in thing["attributes"] or ()}
    known: dict[str, Collection[str]] = {
        "item": {thing["label"] for thing in objects},
        "material": attributes,
        "colour": attributes,
    }
    agreed = [
        _agreed(value, values, seen.get(kind, {}))
        for kind, values in known.items()
        if (value := getattr(stated, kind)) is not None
    ]
    if relations := told.get("relations") or []:
        true = {
            (objects[one["subject"]]["label"], one["predicate"]) for one in relations if _joins(one, objects, named)
        }
        agreed += [float(relation in true) for relation in stated.relations]
    compared = [value for value in agreed if value is not None]
    return sum(compared) / len(compared) if compared else None


def _agreed(value: str, known: Collection[str], seen: Mapping[str, float]) -> float | None:
    if value in known:
        return 1.0
    if value in seen:
        return seen[value]
    return 0.0 if known else None


def _joins(relation: Mapping[str, Any], objects: Sequence[Any], ends: Sequence[Any]) -> bool:
    """Whether a relation is between objects that there are, and the second one of ``ends``."""
    places = range(len(objects))
    return relation["subject"] in places and relation["object"] in places and objects[relation["object"]] in ends


def doubted(wrong: Mapping[str, float]) -> tuple[str, ...]:
    """The fields that are more likely wrong than right, by their published names, in the order of writing.

    Args:
        wrong: field -> probability.
    """
    return tuple(PUBLISHED.get(name, name) for name, chance in wrong.items() if chance > DOUBTED)


def plain(body: str) -> str:
    """The text of HTML, each block a sentence."""
    return " ".join(text if text.endswith((".", "!", "?", "…")) else f"{text}." for _, text in blocks_of(body))
