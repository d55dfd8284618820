"""Judge the dual encoder on the test split: retrieval both ways, CLIPScore and zero-shot items.

Each test listing with words gives one pair: its image and its plainest text. A text's only right answer is its own
listing's image, and the other way round, even where two listings share the same words: such twins cost one of them
its first place, and `duplicate_texts` counts them. Candidates that tie with the right one count as better.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assets.clip.evaluate.parameters import ClipEvaluationParameters
from assets.clip.evaluate.plots import write_examples, write_recall_curve, write_similarities
from heddle.core.listing_text import caption, has_caption
from heddle.core.parameters.shared import Compute, read_seed
from heddle.core.skipped import skip_reason, write_skipped
from heddle.core.stage import Metrics, Stage, read_json
from heddle.evaluation.parameters import BootstrapParameters
from heddle.evaluation.plots import write_confusion
from heddle.metrics import compute
from heddle.metrics.bootstrap import ConfidenceInterval, flat
from heddle.metrics.clip_score import WEIGHT, ClipScore
from heddle.metrics.judgements import judged
from heddle.metrics.ranking import Floats, own_ranks
from heddle.metrics.recall import Recall
from heddle.metrics.reciprocal_rank import ReciprocalRank
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.training.data import ShardSample, read_samples

KS = (1, 5, 10)
DEPTH = max(KS)


@dataclass(frozen=True)
class Ranking:
    """How queries of one kind rank the candidates of the other."""

    direction: str
    """``text_to_image`` or ``image_to_text``."""
    ranks: NDArray[np.int64]
    """Of each query's own candidate, from 1, (N,)."""
    heads: NDArray[np.int64]
    """Rows of each query's best candidates, best first, (N, DEPTH)."""


def clip_evaluation(stage: Stage) -> Metrics:
    """Embed the test split, measure, and write plots and examples; say so if there is nothing to judge."""
    parameters = stage.parameters(ClipEvaluationParameters)
    samples = list(read_samples(stage.input("shards") / "test"))
    paired = np.array([has_caption(sample.row) for sample in samples], dtype=bool)
    counts = {"test_listings": len(samples), "test_listings_without_words": int((~paired).sum())}
    reason = skip_reason(stage.input("clip"))
    if not reason and paired.sum() < 2:
        reason = (
            f"data/shards/test: {paired.sum()} of {len(samples)} listings have words, at least 2 are needed; "
            "bring more listings or raise split.test"
        )
    if reason:
        stage.progress(f"nothing to judge: {reason}")
        write_skipped(stage.output, reason)
        return counts
    return {**counts, **_judged(stage, parameters, samples, paired)}


def _judged(
    stage: Stage, parameters: ClipEvaluationParameters, samples: list[ShardSample], paired: NDArray[np.bool_]
) -> dict[str, float]:
    encoder = ClipEncoder.from_pretrained(stage.input("clip"), stage.parameters(Compute, "compute").threads)
    stage.progress("embedding images and texts", int(paired.sum()), len(samples))
    all_images = encoder.images(sample.image for sample in samples)
    pairs = [sample for sample, has_words in zip(samples, paired, strict=True) if has_words]
    texts = [caption(sample.row) for sample in pairs]
    image, text = all_images[paired], encoder.texts(texts)
    sure = ConfidenceInterval(stage.parameters(BootstrapParameters, "bootstrap"), read_seed())

    (stage.output / "plots").mkdir()
    rankings = [
        Ranking("text_to_image", *own_ranks(text, image, DEPTH)),
        Ranking("image_to_text", *own_ranks(image, text, DEPTH)),
    ]
    write_recall_curve(stage.output / "plots", {r.direction: r.ranks for r in rankings})
    write_similarities(stage.output / "plots", text, image)
    write_examples(stage.output, pairs, texts, text, image, rankings[0].ranks, rankings[0].heads, parameters.examples)
    labels = read_json(stage.input("shards") / "labels.json")
    numbers: dict[str, float] = {
        "duplicate_texts": len(texts) - len({text.lower() for text in texts}),
        **_similarity(text, image, sure),
        **_zero_shot(stage, encoder, samples, all_images, labels["item"], parameters, sure),
    }
    for ranking in rankings:
        numbers |= _retrieval(ranking, sure)
    return numbers


def _retrieval(ranking: Ranking, sure: ConfidenceInterval) -> dict[str, float]:
    name, ranks = ranking.direction, ranking.ranks
    predictions = ranking.heads.astype(str).tolist()
    references = [judged({str(row): 1}) for row in range(len(ranks))]
    numbers: dict[str, float] = {f"{name}_median_rank": float(np.median(ranks))}
    for k in KS:
        value = compute(Recall, predictions=predictions, references=references, k=k)["recall"]
        numbers |= flat(f"{name}_recall_at_{k}", sure(value, (ranks <= k).astype(np.float64)))
        numbers[f"{name}_recall_at_{k}_chance"] = min(1.0, k / len(ranks))
    value = compute(ReciprocalRank, predictions=predictions, references=references, k=DEPTH)["mrr"]
    return numbers | flat(f"{name}_mrr_at_{DEPTH}", sure(value, np.where(ranks <= DEPTH, 1 / ranks, 0.0)))


def _similarity(text: Floats, image: Floats, sure: ConfidenceInterval) -> dict[str, float]:
    score = compute(ClipScore, predictions=text, references=image)["clip_score"]
    matching = np.maximum((text * image).sum(axis=1, dtype=np.float64), 0)
    others = np.roll(image, 1, axis=0)  # each text with its neighbour's image
    mismatched = compute(ClipScore, predictions=text, references=others)["clip_score"]
    return flat("clip_score", sure(score, WEIGHT * matching)) | {"clip_score_mismatched": mismatched}


def _zero_shot(
    stage: Stage,
    encoder: ClipEncoder,
    samples: list[ShardSample],
    images: Floats,
    items: list[str],
    parameters: ClipEvaluationParameters,
    sure: ConfidenceInterval,
) -> dict[str, float]:
    """Which item's sentences lie nearest to the image; an item that the train split never showed is a miss."""
    labelled = [row for row, sample in enumerate(samples) if sample.row["item"]]
    numbers: dict[str, float] = {"zero_shot_listings": len(labelled)}
    if not labelled or not items:
        stage.progress("no test listing has an item label: zero-shot accuracy is not measured")
        write_confusion(stage.output / "plots" / "item_confusion.csv", [], [])
        return numbers
    sentences = [template.format(item) for item in items for template in parameters.templates]
    prototypes = encoder.texts(sentences).reshape(len(items), len(parameters.templates), -1).mean(axis=1)
    prototypes /= np.linalg.norm(prototypes, axis=1, keepdims=True)
    predicted = [items[best] for best in (images[labelled] @ prototypes.T).argmax(axis=1)]
    actual = [samples[row].row["item"] for row in labelled]
    write_confusion(stage.output / "plots" / "item_confusion.csv", actual, predicted)
    right = np.array([a == p for a, p in zip(actual, predicted, strict=True)], dtype=np.float64)
    numbers["zero_shot_item_accuracy_chance"] = 1 / len(items)
    return numbers | flat("zero_shot_item_accuracy", sure(float(right.mean()), right))
