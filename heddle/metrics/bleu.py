"""Corpus BLEU of texts, by sacrebleu."""

from collections.abc import Sequence

import datasets
import evaluate
import numpy as np
import sacrebleu
from numpy.typing import NDArray

from heddle.evaluation.parameters import BootstrapParameters

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


def counts(prediction: str, reference: str) -> NDArray[np.int64]:
    """What a text adds to the BLEU of its corpus, (10,): n-grams found, n-grams, n from 1 to 4, and both lengths."""
    one = sacrebleu.sentence_bleu(prediction, [reference])
    return np.array([*one.counts, *one.totals, one.sys_len, one.ref_len])


def bleu_of(counted: NDArray[np.int64]) -> float:
    """BLEU of the corpus whose texts have these counts, (N, 10); so a resample of it need not be read again."""
    *grams, said, right = counted.sum(axis=0).tolist()
    return float(sacrebleu.BLEU.compute_bleu(grams[:4], grams[4:], said, right, smooth_method="exp").score)


def bleu_interval(
    counted: Sequence[NDArray[np.int64]], bootstrap: BootstrapParameters, seed: int
) -> tuple[float, float]:
    """The percentile interval of a system's BLEU, or of how much higher it is than that of another.

    Source: Koehn, "Statistical Significance Tests for Machine Translation Evaluation", 2004: texts are drawn anew,
    for both systems the same.

    Args:
        counted: the counts of one system's texts, (N, 10), or of two systems'.
        bootstrap: number of resamples and confidence level.
        seed: random seed of the resampling.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    values = []
    for _ in range(bootstrap.samples):
        drawn = random.integers(0, len(counted[0]), len(counted[0]))
        values.append(bleu_of(counted[0][drawn]) - sum(bleu_of(other[drawn]) for other in counted[1:]))
    tail = (1 - bootstrap.confidence) / 2
    low, high = np.quantile(values, (tail, 1 - tail))
    return float(low), float(high)
