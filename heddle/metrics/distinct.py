"""Distinct-n: how varied texts are, over all of them together."""

import datasets
import evaluate

DESCRIPTION = """Different n-grams as a share of all n-grams, counted over all texts together (Li et al. 2016). Words
are what white space separates, lower-cased; no n-gram spans two texts. 1 where no n-gram occurs twice, near 0 where a
writer always says the same; 0 where no text has n words. It falls as texts grow in number: compare equally many."""

INPUTS = """
Args:
    predictions: texts, at least one.
    n: words of an n-gram, from 1.
Returns:
    distinct: in [0, 1].
"""


class Distinct(evaluate.Metric):
    """Different n-grams among all n-grams."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation="Li et al. 2016, A Diversity-Promoting Objective Function for Neural Conversation Models",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": datasets.Value("string")}),
        )

    def _compute(self, predictions: list[str], n: int = 1) -> dict[str, float]:
        texts = [text.lower().split() for text in predictions]
        grams = [tuple(words[first : first + n]) for words in texts for first in range(len(words) - n + 1)]
        return {"distinct": len(set(grams)) / len(grams) if grams else 0.0}
