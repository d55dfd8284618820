"""Evaluate the dual encoder on the test split: retrieval in both directions, CLIPScore and zero-shot classification.

Each image is paired with the text of the first test listing that shows it and has one; `repeated_images` counts the
other listings. The only relevant candidate of a text is its own image, and the other way round, even where two listings
have the same text: `duplicate_texts` counts them. Candidates that tie with the relevant one are ranked before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets.clip.evaluate.parameters import ClipEvaluationParameters
from assets.clip.evaluate.plots import write_examples, write_recall_curve, write_similarities
from heddle.core.listing_text import caption, has_caption
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.skipped import skip_reason
from heddle.core.stage import Metrics, Stage, read_json
from heddle.evaluation.parameters import BootstrapParameters
from heddle.evaluation.plots import write_confusion
from heddle.evaluation.skip import skip_evaluation
from heddle.metrics import compute
from heddle.metrics.bootstrap import ConfidenceInterval
from heddle.metrics.clip_score import WEIGHT, ClipScore
from heddle.metrics.judgements import judged
from heddle.metrics.ranking import Floats, own_ranks
from heddle.metrics.recall import Recall
from heddle.metrics.reciprocal_rank import ReciprocalRank
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.training.shards import ShardSample, read_samples

KS = (1, 5, 10)
DEPTH = max(KS)


@dataclass(frozen=True)
class DirectionRanking:
    """How the queries of one modality rank the candidates of the other.

    Attributes:
        direction: ``text_to_image`` or ``image_to_text``.
        ranks: of each query's own candidate, from 1, (N,).
        heads: rows of each query's best candidates, best first, (N, DEPTH).
    """

    direction: str
    ranks: NDArray[np.int64]
    heads: NDArray[np.int64]


def clip_evaluation(stage: Stage) -> Metrics:
    """Embed the test split; write metrics, plots and examples."""
    parameters = stage.parameters(ClipEvaluationParameters)
    samples = list(read_samples(stage.input("shards") / "test"))
    described = np.array([has_caption(sample.row) for sample in samples], dtype=bool)
    paired = described & _are_first([sample.row["image"] for sample in samples], described)
    counts = {
        "test_listings": len(samples),
        "test_listings_without_text": int((~described).sum()),
        "repeated_images": int((described & ~paired).sum()),
    }
    reason = skip_reason(stage.input("clip"))
    if not reason and paired.sum() < 2:
        reason = (
            f"data/shards/test: {paired.sum()} of {len(samples)} listings have text, at least 2 with different "
            "images are needed; add listings or raise split.test"
        )
    if reason:
        return skip_evaluation(stage, reason, counts)
    return {**counts, **_evaluate(stage, parameters, samples, paired)}


def _evaluate(
    stage: Stage, parameters: ClipEvaluationParameters, samples: list[ShardSample], paired: NDArray[np.bool_]
) -> dict[str, Any]:
    encoder = ClipEncoder.from_pretrained(stage.input("clip"), stage.parameters(Compute, "compute").threads)
    stage.progress("embedding images and texts", int(paired.sum()), len(samples))
    all_images = encoder.images(sample.image for sample in samples)
    pairs = [sample for sample, has_text in zip(samples, paired, strict=True) if has_text]
    texts = [caption(sample.row) for sample in pairs]
    image, text = all_images[paired], encoder.texts(texts)
    interval = ConfidenceInterval(stage.parameters(BootstrapParameters, "bootstrap"), read_seed())

    (stage.output / "plots").mkdir()
    rankings = [
        DirectionRanking("text_to_image", *own_ranks(text, image, DEPTH)),
        DirectionRanking("image_to_text", *own_ranks(image, text, DEPTH)),
    ]
    write_recall_curve(stage.output / "plots", {ranking.direction: ranking.ranks for ranking in rankings})
    write_similarities(stage.output / "plots", text, image)
    write_examples(stage.output, pairs, texts, text, image, rankings[0].ranks, rankings[0].heads, parameters.examples)
    labels = read_json(stage.input("shards") / "labels.json")
    return {
        "duplicate_texts": len(texts) - len({text.lower() for text in texts}),
        **{ranking.direction: _retrieval(ranking, interval) for ranking in rankings},
        "similarity": _similarity(text, image, interval),
        "zero_shot": _zero_shot(stage, encoder, samples, all_images, labels["item"], parameters, interval),
    }


def _are_first(images: Sequence[str], counted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each of the counted images is the first with its hash, (N,)."""
    first: dict[str, int] = {}
    for row in np.flatnonzero(counted).tolist():
        first.setdefault(images[row], row)
    return np.array([first.get(image) == row for row, image in enumerate(images)], dtype=bool)


def _retrieval(ranking: DirectionRanking, interval: ConfidenceInterval) -> dict[str, Any]:
    ranks = ranking.ranks
    predictions = ranking.heads.astype(str).tolist()
    references = [judged({str(row): 1}) for row in range(len(ranks))]
    metrics: dict[str, Any] = {"median_rank": float(np.median(ranks))}
    for k in KS:
        recall = compute(Recall, predictions=predictions, references=references, k=k)["recall"]
        found = (ranks <= k).astype(np.float64)
        metrics[f"recall_at_{k}"] = {**interval(recall, found), "chance": min(1.0, k / len(ranks))}
    mrr = compute(ReciprocalRank, predictions=predictions, references=references, k=DEPTH)["mrr"]
    metrics[f"mrr_at_{DEPTH}"] = interval(mrr, np.where(ranks <= DEPTH, 1 / ranks, 0.0))
    return metrics


def _similarity(text: Floats, image: Floats, interval: ConfidenceInterval) -> dict[str, Any]:
    """CLIPScore of the pairs; of each text with the next listing's image, as chance."""
    score = compute(ClipScore, predictions=text, references=image)["clip_score"]
    cosines = np.maximum((text * image).sum(axis=1, dtype=np.float64), 0)
    mismatched = compute(ClipScore, predictions=text, references=np.roll(image, 1, axis=0))["clip_score"]
    return {"clip_score": {**interval(score, WEIGHT * cosines), "chance": mismatched}}


def _zero_shot(
    stage: Stage,
    encoder: ClipEncoder,
    samples: list[ShardSample],
    images: Floats,
    items: list[str],
    parameters: ClipEvaluationParameters,
    interval: ConfidenceInterval,
) -> dict[str, Any]:
    """Classify images by the nearest item prototype; an item that the train split lacks is always a mistake."""
    labelled = [index for index, sample in enumerate(samples) if sample.row["item"]]
    metrics: dict[str, Any] = {"listings": len(labelled)}
    if not labelled or not items:
        stage.progress("no test listing has an item label: zero-shot accuracy is not measured")
        write_confusion(stage.output / "plots" / "item_confusion.csv", [], [])
        return metrics
    sentences = [template.format(item) for item in items for template in parameters.templates]
    prototypes = encoder.texts(sentences).reshape(len(items), len(parameters.templates), -1).mean(axis=1)
    prototypes /= np.linalg.norm(prototypes, axis=1, keepdims=True)
    predicted = [items[best] for best in (images[labelled] @ prototypes.T).argmax(axis=1)]
    actual = [samples[index].row["item"] for index in labelled]
    write_confusion(stage.output / "plots" / "item_confusion.csv", actual, predicted)
    correct = np.array([a == p for a, p in zip(actual, predicted, strict=True)], dtype=np.float64)
    metrics["item_accuracy"] = {**interval(float(correct.mean()), correct), "chance": 1 / len(items)}
    return metrics
