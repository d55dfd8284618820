"""The contents of one system for the test listings, with all their metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assets.writer.evaluate.claims import CLAIM_KINDS, Claims, Floats
from heddle.content.content import Content
from heddle.metrics import compute
from heddle.metrics.bleu import bleu_interval, bleu_of
from heddle.metrics.bootstrap import ConfidenceInterval, Interval
from heddle.metrics.distinct import Distinct
from heddle.metrics.paired import paired_difference

ROUGE = {"rouge1": "rouge_1", "rouge2": "rouge_2", "rougeL": "rouge_l"}
"""Name in the package rouge-score to the metric's name."""
RECALLS = tuple(f"{kind}_recall" for kind in CLAIM_KINDS)
PRECISIONS = tuple(f"{kind}_precision" for kind in CLAIM_KINDS)
METRICS = (
    *RECALLS,
    "attributes_recall",
    *PRECISIONS,
    "bleu",
    *ROUGE.values(),
    "bert_score",
    "clip_score",
    "valid_rate",
    "distinct_1",
    "distinct_2",
    "alt_text_length",
)
"""All metrics of a system, in the order of the table."""
WITH_INTERVAL = (*RECALLS, "attributes_recall", "bert_score", "clip_score")
"""Means with a confidence interval. BLEU has one too, from resampled counts."""

MetricLeaf = float | Interval
"""A metric without or with its confidence interval."""


@dataclass(frozen=True)
class WriterResult:
    """What a system wrote, with its metrics.

    Attributes:
        name: name of the system.
        contents: contents of the N listings.
        claims: claims of their alt texts.
        values: metric to its value for each content, (N,); NaN where it cannot be measured.
        bleu_counts: n-gram counts of the texts whose listing has a seller's alt text, (M, 10).
    """

    name: str
    contents: tuple[Content, ...]
    claims: Claims
    values: Mapping[str, Floats]
    bleu_counts: NDArray[np.int64]

    def metrics(self, interval: ConfidenceInterval) -> dict[str, MetricLeaf]:
        """Every metric that can be measured."""
        found: dict[str, MetricLeaf] = {}
        for name in METRICS:
            values = drop_nan(self.values.get(name, np.empty(0)))
            if len(values):
                mean = float(values.mean())
                found[name] = interval(mean, values) if name in WITH_INTERVAL else mean
            elif name in self._corpus_metrics:
                found[name] = self._corpus_metrics[name]
        if len(self.bleu_counts):
            low, high = bleu_interval([self.bleu_counts], interval.bootstrap, interval.seed)
            found["bleu"] = {"value": self._corpus_metrics["bleu"], "low": low, "high": high}
        return found

    def difference(self, other: "WriterResult", metric: str, interval: ConfidenceInterval) -> Interval | None:
        """How much higher a metric is than another system's; None where it cannot be measured for both.

        The resamples are paired, so the difficulty of a listing cancels out.
        """
        if metric == "bleu":
            if not len(self.bleu_counts):
                return None
            counts = [self.bleu_counts, other.bleu_counts]
            low, high = bleu_interval(counts, interval.bootstrap, interval.seed)
            return {"value": bleu_of(counts[0]) - bleu_of(counts[1]), "low": low, "high": high}
        mine, theirs = self.values[metric], other.values[metric]
        measured = ~(np.isnan(mine) | np.isnan(theirs))
        if not measured.any():
            return None
        found = paired_difference(mine[measured], theirs[measured], interval.bootstrap, interval.seed)
        return {"value": found.mean, "low": found.low, "high": found.high}

    @cached_property
    def _corpus_metrics(self) -> dict[str, float]:
        """Metrics of all texts together."""
        texts = [content.alt_text for content in self.contents if content.alt_text]
        found: dict[str, float] = {}
        if len(self.bleu_counts):
            found["bleu"] = bleu_of(self.bleu_counts)
        if texts:
            for n in (1, 2):
                found[f"distinct_{n}"] = compute(Distinct, predictions=texts, n=n)["distinct"]
        return found


def drop_nan(values: Floats) -> Floats:
    """The values other than NaN."""
    return values[~np.isnan(values)]
