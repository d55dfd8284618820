"""BERTScore of texts, by any encoder of transformers in a local folder."""

from collections import Counter
from math import log
from pathlib import Path

import datasets
import evaluate
import numpy as np
from numpy.typing import NDArray

from lightning_modules.sentence_encoder.token_encoder import TokenEncoder, Tokens

DESCRIPTION = """BERTScore as in the paper: each token of one text is matched with the likeliest token of the other, by
the cosine of their contextual embeddings; the mean likeness of the prediction's tokens is its precision, that of the
reference's tokens its recall. Averaged over the texts, not rescaled with a baseline; tokens that the tokenizer adds,
such as [CLS] and [SEP], do not take part. A text without tokens counts as 0.
(torchmetrics 1.9 mixes up the pairs of a batch whose texts differ in length; for a single pair it gives the same.)"""

INPUTS = """
Args:
    predictions: texts, at least one.
    references: for each the text that is right.
    model: folder of an encoder and its tokenizer, as `save_pretrained` writes them; nothing is ever downloaded.
    layer: whose output the embeddings are, 0 for the first layer's input; the last one by default. The authors give the
        best layer of each model.
    idf: whether a token weighs log((N + 1) / (n + 1)), where n of the N references have it; off by default.
Returns:
    precision, recall, f1: in [-1, 1], in practice above 0; comparable only between the same model and layer.
"""


class BertScore(evaluate.Metric):
    """Likeness of matched tokens."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Zhang et al. 2020, BERTScore: Evaluating Text Generation with BERT",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": text, "references": text}),
        )

    @staticmethod
    def per_text(
        predictions: list[str], references: list[str], model: str, layer: int = -1, idf: bool = False
    ) -> NDArray[np.float64]:
        """Precision, recall and F1 of each pair, whose means the metric gives: (N, 3)."""
        encoder = TokenEncoder.from_pretrained(Path(model))
        different = sorted(
            {*predictions, *references}, key=lambda text: (len(text), text)
        )  # alike in length: no padding
        tokens = dict(zip(different, encoder(different, layer), strict=True))
        weights = _Weights([tokens[text] for text in references] if idf else [])
        pairs = zip(predictions, references, strict=True)
        return np.array([_score(tokens[said], tokens[right], weights) for said, right in pairs]).reshape(-1, 3)

    def _compute(
        self, predictions: list[str], references: list[str], model: str, layer: int = -1, idf: bool = False
    ) -> dict[str, float]:
        means = self.per_text(predictions, references, model, layer, idf).mean(axis=0)
        return dict(zip(("precision", "recall", "f1"), means.tolist(), strict=True))


class _Weights:
    """How much each token counts: by how few of the references have it, or alike where there are no references."""

    def __init__(self, references: list[Tokens]) -> None:
        self.texts = len(references)
        self.having = Counter(token for text in references for token in set(text.ids))

    def __call__(self, text: Tokens) -> NDArray[np.float64]:
        weights = np.array([log((self.texts + 1) / (self.having[token] + 1)) for token in text.ids])
        return weights if weights.any() else np.ones_like(weights)  # what all texts share cannot be told apart


def _score(said: Tokens, right: Tokens, weights: _Weights) -> tuple[float, float, float]:
    """Precision, recall and F1 of one pair."""
    if not said.ids or not right.ids:
        return 0.0, 0.0, 0.0
    likeness = said.vectors @ right.vectors.T  # (tokens said, tokens right)
    precision = float(np.average(likeness.max(axis=1), weights=weights(said)))
    recall = float(np.average(likeness.max(axis=0), weights=weights(right)))
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both > 0 else 0.0
