"""Corpus BLEU of texts, by sacrebleu."""

import datasets
import evaluate
import sacrebleu

DESCRIPTION = """BLEU of a corpus, as sacrebleu computes it by default: up to 4-grams of 13a tokens, case kept,
exponential smoothing, n-grams counted over all texts together. From 0 to 100, as in papers, not from 0 to 1; not the
mean of the texts' own BLEU, so there is no value for each text."""

INPUTS = """
Args:
    predictions: texts, at least one.
    references: for each the text that is right.
Returns:
    bleu: in [0, 100].
"""


class Bleu(evaluate.Metric):
    """Overlap of n-grams, 0 to 100."""

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Papineni et al. 2002, BLEU; Post 2018, A Call for Clarity in Reporting BLEU Scores",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        return {"bleu": sacrebleu.corpus_bleu(predictions, [references]).score}
