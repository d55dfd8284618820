"""Quality scores of content, which ``heddle describe`` prints with it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heddle.content.content import Content
from heddle.content.html import parse_blocks
from heddle.content.lexicon import ImageFacts, Lexicon
from heddle.content.readability import readability
from heddle.content.rubric import Titles, seo_score
from heddle.description.certainty import Certainty
from heddle.description.inputs import ImageFile, Shape, shape_of
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.vision.classifier import VisionClassifier
from lightning_modules.writer.content_writer import GeneratedContent

CLIP_WEIGHT = 2.5
"""Factor of the cosine (Hessel et al. 2021, CLIPScore: A Reference-free Evaluation Metric for Image Captioning)."""
ERROR_THRESHOLD = 0.5
"""A field is reported as an error above this probability."""
WEIGHTS: Mapping[str, float] = {"relevance": 1, "accuracy": 2, "seo": 1, "readability": 1, "certainty": 2}
"""Weights in the overall score. Scores of factual correctness count twice."""
WORDPRESS_NAMES = {"description": "excerpt", "body": "content"}
"""Fields whose name in WordPress differs."""
DIGITS = 4


@dataclass(frozen=True)
class QualityScores:
    """Scores of one image's content; higher is better. None where a score cannot be computed."""

    relevance: float | None
    """CLIPScore of alt text and image, 2.5 · max(cosine, 0) by `clip`, in [0, 2.5]."""
    accuracy: float | None
    """Mean agreement of the alt text's claims (item, material, colour, relations) with the user's objects and the
    predictions of `vision`, in [0, 1]; see :func:`accuracy`."""
    seo: float
    """Rubric of lengths, use of the keyword and uniqueness, in [0, 1]; see :mod:`heddle.content.rubric`."""
    readability: float
    """Flesch's reading ease of the body as a share of "very easy", in [0, 1]."""
    certainty: float | None
    """Calibrated probability that every claim of the alt text is correct, in [0, 1]."""
    errors: tuple[str, ...]
    """Fields in which the writer's error-detection head predicts a wrong claim."""

    @property
    def overall(self) -> float:
        """The mean of the available scores, weighted by WEIGHTS, in [0, 1]; relevance is cut to 1."""
        scores = {name: getattr(self, name) for name in WEIGHTS if getattr(self, name) is not None}
        total = sum(WEIGHTS[name] * min(score, 1.0) for name, score in scores.items())
        return total / sum(WEIGHTS[name] for name in scores)

    def as_json(self) -> dict[str, Any]:
        """The scores rounded to DIGITS; `overall` is last."""
        numbers = {**asdict(self), "errors": list(self.errors), "overall": self.overall}
        return {name: round(value, DIGITS) if isinstance(value, float) else value for name, value in numbers.items()}


@dataclass(frozen=True)
class DescribedImage:
    """One image's content with the inputs that it was written from."""

    image: ImageFile
    columns: Mapping[str, Any]
    """Columns `context`, `objects` and `relations` of a listing."""
    written: GeneratedContent
    content: Content


@dataclass(frozen=True)
class ContentScorer:
    """Scores content with the models that are available."""

    lexicon: Lexicon
    titles: Titles
    """Titles of other listings, which a title must not repeat."""
    certainty: Certainty | None
    clip: ClipEncoder | None
    vision: VisionClassifier | None

    @property
    def shapes(self) -> list[Shape]:
        """Shapes of the images that the models take."""
        return [shape_of(model.config) for model in (self.clip, self.vision) if model is not None]

    def score(self, images: Sequence[DescribedImage]) -> list[QualityScores]:
        """The scores of each image's content. Each model runs once on the whole batch."""
        relevances, predictions = self._relevances(images), self._predictions(images)
        return [self._score_image(*known) for known in zip(images, relevances, predictions, strict=True)]

    def _score_image(
        self, image: DescribedImage, relevance: float | None, predicted: Mapping[str, Mapping[str, float]]
    ) -> QualityScores:
        claimed = self.lexicon.read_facts(image.content.alt_text)
        keywords = [word for word in (claimed.item, claimed.material) if word]
        locale = (image.columns.get("context") or {}).get("locale")
        certainty = None
        if self.certainty is not None:
            certainty = self.certainty(image.written.log_likelihoods, bool(image.columns.get("objects")))
        return QualityScores(
            relevance=relevance,
            accuracy=accuracy(claimed, image.columns, predicted),
            seo=seo_score(image.content, self.titles, keywords).value,
            readability=readability(body_text(image.content.body), locale),
            certainty=certainty,
            errors=suspect_fields(image.written.error_probabilities),
        )

    def _relevances(self, images: Sequence[DescribedImage]) -> list[float | None]:
        if self.clip is None:
            return [None] * len(images)
        vectors = self.clip.images([image.image.squares[shape_of(self.clip.config)] for image in images])
        return list(clip_scores(vectors, self.clip.texts([image.content.alt_text for image in images])))

    def _predictions(self, images: Sequence[DescribedImage]) -> list[dict[str, dict[str, float]]]:
        """For each image: label to class to probability."""
        if self.vision is None:
            return [{} for _ in images]
        found = self.vision.probabilities([image.image.squares[shape_of(self.vision.config)] for image in images])
        heads = self.vision.config.heads
        return [
            {head: dict(zip(heads[head], map(float, found[head][index]), strict=True)) for head in heads}
            for index in range(len(images))
        ]


def clip_scores(images: NDArray[np.float32], texts: NDArray[np.float32]) -> list[float]:
    """CLIPScore of each pair of unit vectors, (N, D) and (N, D)."""
    return [float(score) for score in CLIP_WEIGHT * np.maximum((images * texts).sum(axis=1), 0)]


def accuracy(
    claimed: ImageFacts, columns: Mapping[str, Any], predicted: Mapping[str, Mapping[str, float]]
) -> float | None:
    """The mean agreement of a text's claims with the known facts; None if no claim can be checked.

    A claimed item agrees if an object has this label; material and colour if the objects of this label (or all objects,
    if none has it) have the attribute; a relation if the user gave it. A claim that agrees counts 1. Another claim
    counts as its probability by `vision`, if `vision` has this class, else 0. Claims about which neither the objects
    nor `vision` have information are skipped.

    Args:
        claimed: the text's claims.
        columns: columns `objects` and `relations` of a listing.
        predicted: label to class to probability, as predicted by `vision`.
    """
    objects = columns.get("objects") or []
    named = [thing for thing in objects if thing["label"] == claimed.item] or objects
    attributes = {attribute for thing in named for attribute in thing["attributes"] or ()}
    known: dict[str, Collection[str]] = {
        "item": {thing["label"] for thing in objects},
        "material": attributes,
        "colour": attributes,
    }
    agreed = [
        _agreement(value, values, predicted.get(kind, {}))
        for kind, values in known.items()
        if (value := getattr(claimed, kind)) is not None
    ]
    if relations := columns.get("relations") or []:
        true = {
            (objects[one["subject"]]["label"], one["predicate"]) for one in relations if _joins(one, objects, named)
        }
        agreed += [float(relation in true) for relation in claimed.relations]
    compared = [value for value in agreed if value is not None]
    return sum(compared) / len(compared) if compared else None


def _agreement(value: str, known: Collection[str], predicted: Mapping[str, float]) -> float | None:
    if value in known:
        return 1.0
    if value in predicted:
        return predicted[value]
    return 0.0 if known else None


def _joins(relation: Mapping[str, Any], objects: Sequence[Any], ends: Sequence[Any]) -> bool:
    """Whether both indices of a relation are valid and its second object is one of ``ends``."""
    indices = range(len(objects))
    return relation["subject"] in indices and relation["object"] in indices and objects[relation["object"]] in ends


def suspect_fields(error_probabilities: Mapping[str, float]) -> tuple[str, ...]:
    """The fields above ERROR_THRESHOLD, by their names in WordPress, in the order of writing."""
    return tuple(
        WORDPRESS_NAMES.get(name, name) for name, chance in error_probabilities.items() if chance > ERROR_THRESHOLD
    )


def body_text(body: str) -> str:
    """The text of HTML, in which each block ends as a sentence."""
    return " ".join(text if text.endswith((".", "!", "?", "…")) else f"{text}." for _, text in parse_blocks(body))
