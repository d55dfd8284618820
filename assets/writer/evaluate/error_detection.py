"""Error detection: how well the writer separates texts with an error from correct ones."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assets.writer.evaluate.claims import Floats
from assets.writer.evaluate.prompting import CALIBRATED, WriterOutput, WriterPrompter, alt_text_log_likelihoods
from assets.writer.evaluate.result import WriterResult, drop_nan
from heddle.description.certainty import FIELD
from heddle.metrics import compute
from heddle.metrics.auroc import Auroc, auroc_interval
from heddle.metrics.bootstrap import Interval
from lightning_modules.training.shards import ShardSample
from lightning_modules.writer.content_writer import WriterScores

SELLERS, OWN = "sellers", "own"
"""Authors of the texts: sellers' texts with inserted errors, or the writer's own texts."""
HEAD, LIKELIHOOD = "head", "likelihood"
"""Detectors: the network's error-detection head, or the negative log-likelihood of the text."""
ALL = "all"
"""All kinds of errors together."""
MIN_TEXTS = 10
"""Fewest texts with an error, and fewest without, for an AUROC."""


@dataclass(frozen=True)
class DetectionResult:
    """Detection of one kind of error.

    Attributes:
        system: inputs of the writer.
        texts: author of the texts.
        detector: source of the scores.
        kind: kind of the errors; ``ALL`` for all of them.
        count: number of texts with such an error or without any error.
        errors: number of texts with such an error.
        auroc: area under the ROC curve; None below ``MIN_TEXTS`` texts with or without an error.
    """

    system: str
    texts: str
    detector: str
    kind: str
    count: int
    errors: int
    auroc: Interval | None

    @property
    def metric(self) -> str:
        """Name of the metric: ``error_detection_auroc`` for the head on all errors in sellers' texts."""
        parts = [
            "own" if self.texts == OWN else "",
            "likelihood" if self.detector == LIKELIHOOD else "",
            "" if self.kind == ALL else self.kind,
            "error_detection_auroc",
        ]
        return "_".join(part for part in parts if part)


@dataclass(frozen=True)
class ErrorScores:
    """Scores of one detector for N texts.

    Attributes:
        system: inputs of the writer.
        texts: author of the texts.
        detector: source of the scores.
        kinds: kind of each text's error; None for a correct text.
        scores: higher for a more probable error, (N,).
    """

    system: str
    texts: str
    detector: str
    kinds: Sequence[str | None]
    scores: Floats

    def results(self, confidence: float) -> Iterator[DetectionResult]:
        """Detection of all errors and, if there are several kinds, of each kind."""
        kinds = np.array([kind or "" for kind in self.kinds])
        correct, found = self.scores[kinds == ""], sorted({*kinds.tolist()} - {""})
        yield self._result(ALL, self.scores[kinds != ""], correct, confidence)
        if len(found) > 1:
            for kind in found:
                yield self._result(kind, self.scores[kinds == kind], correct, confidence)

    def _result(self, kind: str, wrong: Floats, correct: Floats, confidence: float) -> DetectionResult:
        count, errors = len(wrong) + len(correct), len(wrong)
        auroc = None
        if min(len(wrong), len(correct)) >= MIN_TEXTS:
            auroc = _auroc(wrong, correct, confidence)
        return DetectionResult(self.system, self.texts, self.detector, kind, count, errors, auroc)


def measure_error_detection(
    prompter: WriterPrompter,
    samples: Sequence[ShardSample],
    outputs: Mapping[str, WriterOutput],
    results: Mapping[str, WriterResult],
    confidence: float,
) -> Iterator[DetectionResult]:
    """Measure the detection of errors inserted into sellers' texts, and of those in the writer's own texts.

    Args:
        prompter: the writer.
        samples: the N test listings.
        outputs: system to the writer's inputs and texts.
        results: system to its result.
        confidence: confidence level of the intervals.
    """
    indices = [index for index, sample in enumerate(samples) if sample.row["alt_text"]]
    corrupted = prompter.corrupt([samples[index] for index in indices])
    errors = [one.error for one in corrupted]
    for system in CALIBRATED:
        inputs = [outputs[system].inputs[index] for index in indices]
        scores = prompter.score(inputs, [one.text for one in corrupted])
        yield from _detect(system, SELLERS, errors, scores, confidence)
        correct = results[system].claims.all_correct
        own = [one for one, label in zip(outputs[system].written, correct, strict=True) if not np.isnan(label)]
        own_errors = [None if label else OWN for label in drop_nan(correct)]
        yield from _detect(system, OWN, own_errors, own, confidence)


def _detect(
    system: str, texts: str, kinds: Sequence[str | None], scores: Sequence[WriterScores], confidence: float
) -> Iterator[DetectionResult]:
    """Detection by the head and by the likelihood."""
    head = np.array([one.error_probabilities[FIELD] for one in scores], dtype=np.float64)
    yield from ErrorScores(system, texts, HEAD, kinds, head).results(confidence)
    yield from ErrorScores(system, texts, LIKELIHOOD, kinds, -alt_text_log_likelihoods(scores)).results(confidence)


def _auroc(positives: Floats, negatives: Floats, confidence: float) -> Interval:
    labels = [1] * len(positives) + [0] * len(negatives)
    low, high = auroc_interval(positives, negatives, confidence)
    value = compute(Auroc, predictions=np.concatenate([positives, negatives]), references=labels)["auroc"]
    return {"value": value, "low": low, "high": high}
