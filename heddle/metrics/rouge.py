"""ROUGE-1, -2, -L and -Lsum of texts, by rouge-score."""

import datasets
import evaluate
import numpy as np
from numpy.typing import NDArray
from rouge_score.rouge_scorer import RougeScorer

KINDS = ("rouge1", "rouge2", "rougeL", "rougeLsum")

DESCRIPTION = """ROUGE: F1 of the unigrams, of the bigrams, of the longest common subsequence, and of the longest common
subsequences line by line (Lsum), averaged over the texts. Words are runs of a to z and 0 to 9 in lower case: other
letters are dropped, so the numbers mean little for languages that need them."""

INPUTS = """
Args:
    predictions: texts, at least one.
    references: for each the text that is right.
    stemmer: whether Porter's stemmer cuts the endings of words of more than three letters; off by default.
Returns:
    rouge1, rouge2, rougeL, rougeLsum: in [0, 1].
"""


class Rouge(evaluate.Metric):
    """Overlap of words, pairs of words and subsequences."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Lin 2004, ROUGE: A Package for Automatic Evaluation of Summaries",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": text, "references": text}),
        )

    @staticmethod
    def per_text(
        predictions: list[str], references: list[str], stemmer: bool = False
    ) -> dict[str, NDArray[np.float64]]:
        """The values that the metric is the mean of, (N,) of each kind."""
        scorer = RougeScorer(KINDS, use_stemmer=stemmer)
        scores = [scorer.score(right, said) for said, right in zip(predictions, references, strict=True)]
        return {kind: np.array([score[kind].fmeasure for score in scores], dtype=np.float64) for kind in KINDS}

    def _compute(self, predictions: list[str], references: list[str], stemmer: bool = False) -> dict[str, float]:
        per_text = self.per_text(predictions, references, stemmer)
        return {kind: float(values.mean()) for kind, values in per_text.items()}
