"""How well the writer sees that something is wrong in a text: in sellers' texts that were changed, and in its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from assets.writer.evaluate.claims import Floats
from heddle.metrics import compute
from heddle.metrics.auc import Auc, auc_interval

ALL = "all"
FEWEST = 10
"""Texts with a mistake and texts without one that an AUC takes at least."""


@dataclass(frozen=True)
class ErrorScores:
    """How much the writer doubts N texts.

    Attributes:
        view: what it knew of the listings.
        texts: whose texts they are.
        by: what tells of mistakes.
        kinds: what each text's mistake is about; None where nothing is wrong.
        scores: the higher, the more it doubts, (N,).
    """

    view: str
    texts: str
    by: str
    kinds: Sequence[str | None]
    scores: Floats

    def told(self, confidence: float) -> Iterator["DetectionResult"]:
        """Of all mistakes, and of those of each kind if there are several, among the texts with none."""
        kinds = np.array([kind or "" for kind in self.kinds])
        downs, found = self.scores[kinds == ""], sorted({*kinds.tolist()} - {""})
        for kind in ["", *found] if len(found) > 1 else [""]:
            ups = self.scores[(kinds == kind) if kind else (kinds != "")]
            told = _auc(ups, downs, confidence)
            yield DetectionResult(self.view, self.texts, self.by, kind or ALL, len(ups) + len(downs), len(ups), told)


@dataclass(frozen=True)
class DetectionResult:
    """How well mistakes of one kind are seen.

    Attributes:
        view: what the writer knew of the listings.
        texts: whose texts they are.
        by: what tells of mistakes.
        kind: of the mistakes; ``ALL`` of them together.
        count: texts with such a mistake or none.
        wrong: how many of them have one.
        numbers: ``auc`` with its bounds; empty where there are fewer than ``FEWEST`` texts with or without a mistake.
    """

    view: str
    texts: str
    by: str
    kind: str
    count: int
    wrong: int
    numbers: dict[str, float]


def _auc(ups: Floats, downs: Floats, confidence: float) -> dict[str, float]:
    if min(len(ups), len(downs)) < FEWEST:
        return {}
    labels = [1] * len(ups) + [0] * len(downs)
    low, high = auc_interval(ups, downs, confidence)
    return {
        **compute(Auc, predictions=np.concatenate([ups, downs]), references=labels),
        "auc_low": low,
        "auc_high": high,
    }
